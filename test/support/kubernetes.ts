import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** Where `kubernetes-types`, which is made from Kubernetes' own description of its objects, has each kind that we use. */
const MODULES: Readonly<Record<string, string>> = {
  Deployment: 'kubernetes-types/apps/v1',
  PersistentVolumeClaim: 'kubernetes-types/core/v1',
  Service: 'kubernetes-types/core/v1',
};

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  lib: ['lib.es2023.d.ts'],
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

const anyObject = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/** The objects of a manifest: as many as it has documents. */
export function objectsOf(manifest: string): unknown[] {
  return parseAllDocuments(manifest, { uniqueKeys: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/**
 * What is wrong with a manifest's objects by Kubernetes 1.30: fields that there are not, that are missing, or of another
 * type. Each object is checked as a literal of its kind's type. What a string may say is not looked at.
 */
export function wrongIn(manifest: string): string[] {
  const source = objectsOf(manifest).map((object, index) => {
    const { kind } = anyObject.parse(object);
    const module = MODULES[kind];
    if (module === undefined) throw new Error(`There is no module for the kind ${kind} in MODULES yet.`);
    return `import type { ${kind} as Kind${index} } from '${module}';
export const object${index}: Required<Pick<Kind${index}, 'apiVersion' | 'kind' | 'metadata' | 'spec'>> = ${JSON.stringify(object, null, 1)};`;
  });
  return mistakesOf(source.join('\n'));
}

function mistakesOf(source: string): string[] {
  // Beside this file, so that packages are found from it.
  const path = join(fileURLToPath(new URL('.', import.meta.url)), 'manifest.generated.ts');
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, source, ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], OPTIONS, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
