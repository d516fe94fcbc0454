import { startCyrus } from '../support/cyrus.ts';
import { aMailIsFound } from './life-contract.ts';

aMailIsFound({ name: 'Cyrus', start: startCyrus, startInClear: () => startCyrus({ tls: 'none' }) });
