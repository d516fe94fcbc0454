/** An email address that shows whose it is to its owner alone: `a…@e….org`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return `${first(email)}…`;
  const domain = email.slice(at + 1);
  const end = domain.lastIndexOf('.');
  return `${first(email)}…@${first(domain)}…${end > 0 ? domain.slice(end) : ''}`;
}

/** A telephone number but for its last two digits. */
export function maskPhone(phone: string): string {
  return phone.length > 4 ? `…${phone.slice(-2)}` : '…';
}

function first(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0x2026);
}
