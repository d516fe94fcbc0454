import { HOUR_MS } from '../../lib/clock.ts';
import type { ExportId } from '../notice.ts';
import { googleUrl, mandrillClicks, onlyValue, outlookSafeLinks, sendGridClicks } from '../wrappers.ts';
import type { ExportFacts, LinkForm, LinkMeaning, Provider, SubjectKind } from './provider.ts';

/** ChatGPT's data export (shared facts: "The export-ready email and its link"). */

/** A link lives this long after the export was made, and after its email was sent. */
const LIFE_MS = 24 * HOUR_MS;

/** `<hex>-YYYY-MM-DD-HH-MM-SS`, with `-<hex>` behind it in the newer form; the number of digits is not relied on. */
const EXPORT_NAME = /^[A-Za-z0-9]{1,128}-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)(?:-[A-Za-z0-9]{1,128})?$/;

/**
 * Both forms, and what else a link is known by. The ZIP's name needs no percent-encoding, so that it also shows in a
 * link that is wrapped into the address of a service nobody has heard of.
 */
const LINK_MARKS =
  /\/backend-api\/estuary\/content|\/exportcontainer\/|-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d(?:-[a-z0-9]{1,128})?\.zip/i;

/** Since mid 2025: a signed link that asks for a ChatGPT login, and does not say when it dies. */
const ESTUARY: LinkForm = {
  origin: 'https://chatgpt.com',
  path: /^\/backend-api\/estuary\/content$/,
  login: true,
  read(url, receivedAt) {
    const [name, signature] = [onlyValue(url, 'id'), onlyValue(url, 'sig')];
    const named = name === undefined || signature === undefined ? undefined : exactName(name);
    // ChatGPT serves other files from the same path: pictures in mails about tasks.
    if (named === undefined) return LINK_MARKS.test(url.search) ? 'malformed' : 'other';
    const whole = /^[0-9a-f]{64}$/i.test(signature ?? '') && /^\d+$/.test(onlyValue(url, 'v') ?? '');
    return { ...named, deadline: Math.min(named.exportTime, receivedAt) + LIFE_MS, whole };
  },
};

/** 2023 to 2024: an Azure Blob SAS link, which asks for no login and says when it dies. */
const AZURE: LinkForm = {
  origin: 'https://proddatamgmtqueue.blob.core.windows.net',
  path: /^\/exportcontainer\/[^/]+\.zip$/,
  login: false,
  read(url) {
    const [expires, signature] = [onlyValue(url, 'se'), onlyValue(url, 'sig')];
    const named = exactName(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
    const deadline = Date.parse(expires ?? '');
    if (named === undefined || signature === undefined || Number.isNaN(deadline)) return 'malformed';
    // HMAC-SHA256 in base64.
    return { ...named, deadline, whole: /^[A-Za-z0-9+/]{43}=$/.test(signature) };
  },
};

/** Pages that any mail of the sender may lead to: they say nothing about it. */
const PLAIN_HOSTS = ['openai.com', 'www.openai.com', 'help.openai.com', 'cdn.openai.com', 'privacy.openai.com'];

/** How one language words the subjects, in lower case and Unicode form NFKC. */
interface Wording {
  /** "data export" */
  readonly topic: RegExp;
  readonly ready: RegExp;
  readonly started: RegExp;
}

/**
 * English (both subjects) and Simplified Chinese (the ready one) were seen; every other wording is a guess at what a
 * translator would write. A subject in none of these loses nothing but the started notice and the warning about a ready
 * one whose link cannot be read: a ready notice is known by its sender and its link.
 */
const WORDINGS: Readonly<Record<string, Wording>> = {
  en: {
    topic: /\bdata export\b/,
    ready: /\b(?:is|now) ready\b/,
    started: /\bhas (?:been )?started\b|\bbeing prepared\b/,
  },
  'zh-Hans': { topic: /数据导出/, ready: /就绪|已准备好/, started: /开始/ },
  'zh-Hant': { topic: /(?:資料|數據)匯出/, ready: /就緒|已準備好/, started: /開始/ },
  ja: { topic: /データの?エクスポート/, ready: /準備(?:が(?:でき|完了|整)|完了)/, started: /開始/ },
  ko: { topic: /데이터 ?내보내기/, ready: /준비(?:되었|됐|가 완료)|완료/, started: /시작/ },
  de: {
    topic: /datenexport|export (?:deiner|ihrer|der) daten/,
    ready: /(?<!\p{L})(?:bereit|fertig)/u,
    started: /gestartet|begonnen|vorbereitet/,
  },
  fr: {
    topic: /export(?:ation)? (?:de |de vos |de tes |des )données/,
    ready: /(?<!\p{L})prêt|disponible/u,
    started: /a commencé|a démarré|(?:est|été) lancé|en cours/,
  },
  es: {
    topic: /exportación de (?:tus |sus |los )?datos/,
    ready: /(?<!\p{L})list[ao]|disponible/u,
    started: /ha (?:comenzado|empezado)|iniciad[ao]|iniciado|en curso/,
  },
  pt: {
    topic: /exportação (?:de |dos |dos (?:seus|teus) )dados/,
    ready: /(?<!\p{L})pront[ao]|disponível/u,
    started: /iniciad[ao]|começou|em curso/,
  },
  it: {
    topic: /esportazione (?:di |dei |dei (?:tuoi|suoi) )dati/,
    ready: /(?<!\p{L})pront[ao]|disponibile/u,
    started: /avviata|iniziata|in corso/,
  },
  nl: {
    topic: /gegevensexport|data-?export|export van je gegevens/,
    ready: /klaar|gereed/,
    started: /gestart|begonnen/,
  },
  pl: { topic: /eksport (?:twoich )?danych/, ready: /gotow/, started: /rozpocz/ },
  sv: { topic: /dataexport/, ready: /klar|redo/, started: /startat|börjat/ },
  da: { topic: /dataeksport/, ready: /klar/, started: /startet|begyndt/ },
  nb: { topic: /dataeksport/, ready: /klar/, started: /startet|begynt/ },
  fi: { topic: /(?:tietojen|tietojesi) vienti/, ready: /valmis/, started: /alkanut|aloitettu/ },
  cs: { topic: /export (?:(?:vašich|tvých) )?dat/, ready: /připraven/, started: /zahájen|začal|spuštěn/ },
  hu: { topic: /adatexport/, ready: /elkészült|készen|kész(?!ül)/, started: /elkezdőd|elindul|megkezdőd/ },
  ro: { topic: /export(?:ul|area) (?:de date|datelor)/, ready: /gata|pregătit/, started: /început/ },
  el: { topic: /εξαγωγή (?:των )?δεδομένων/, ready: /έτοιμ/, started: /ξεκίνησε|άρχισε/ },
  ru: { topic: /экспорт (?:(?:ваших|твоих) )?данных/, ready: /готов(?!ит)/, started: /начат|начал|запущен|готовится/ },
  uk: { topic: /експорт (?:(?:ваших|твоїх) )?даних/, ready: /готов(?!у)/, started: /розпочат|почав|запущен/ },
  tr: { topic: /veri(?:lerini[nz]i?n?)? dışa aktar/, ready: /hazır(?!lan)/, started: /başla/ },
  ar: { topic: /تصدير (?:ال)?بيانات/, ready: /جاهز/, started: /بدأ|بدء/ },
  he: { topic: /ייצוא ה?נתונים/, ready: /מוכן/, started: /התחיל/ },
  hi: { topic: /डेटा (?:एक्सपोर्ट|निर्यात)/, ready: /तैयार/, started: /शुरू/ },
  id: { topic: /ekspor data/, ready: /siap/, started: /dimulai/ },
  vi: { topic: /xuất dữ liệu/, ready: /sẵn sàng/, started: /bắt đầu/ },
  th: { topic: /ส่งออกข้อมูล/, ready: /พร้อม/, started: /เริ่ม/ },
};

/** What every known notice begins with, behind the `Fwd:` of a forwarding person; task mails bear any words. */
const SUBJECT = /^(?:\p{L}{1,6}\s*:\s*){0,3}chatgpt\s*[-–—:]\s*(\S.{0,120})$/u;

export const openai: Provider = {
  id: 'openai',
  sender: {
    domain: 'tm.openai.com',
    addresses: ['noreply@tm.openai.com'],
    signingDomains: ['tm.openai.com', 'openai.com'],
    mark: 'openai',
  },
  linkForms: [ESTUARY, AZURE],
  linkMarks: LINK_MARKS,
  linkLifeMs: LIFE_MS,
  wrappers: [googleUrl, outlookSafeLinks, mandrillClicks],
  redirectors: [sendGridClicks],
  parseFileName,
  subjectKind,
  linkMeaning,
};

function parseFileName(fileName: string): { exportId: ExportId; exportTime: number } | undefined {
  // A second download of the same name: ` (1)` in Chrome, `(1)` in Firefox; ` 2` is what a Mac makes of a second copy.
  const exportId = fileName.replace(/(?: ?\(\d{1,3}\)| \d{1,3})?\.zip$/i, '');
  if (exportId === fileName) return undefined;
  const exportTime = stampOf(exportId);
  return exportTime === undefined ? undefined : { exportId, exportTime };
}

function exactName(name: string): Pick<ExportFacts, 'exportId' | 'exportTime'> | undefined {
  const named = parseFileName(name);
  return named !== undefined && name === `${named.exportId}.zip` ? named : undefined;
}

function stampOf(exportId: string): number | undefined {
  const digits = EXPORT_NAME.exec(exportId)?.slice(1, 7);
  if (digits === undefined) return undefined;
  const [year, month, day, hour, minute, second] = digits;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(written);
  // February 30 is parsed as March 2.
  return Number.isNaN(time) || new Date(time).toISOString() !== written ? undefined : time;
}

function subjectKind(subject: string): SubjectKind | undefined {
  const said = SUBJECT.exec(subject.normalize('NFKC').toLowerCase().trim())?.[1];
  if (said === undefined) return undefined;
  const wordings = Object.values(WORDINGS).filter(({ topic }) => topic.test(said));
  if (wordings.length === 0) return undefined;
  const saysReady = wordings.some(({ ready }) => ready.test(said));
  const saysStarted = wordings.some(({ started }) => started.test(said));
  if (saysReady === saysStarted) return 'export';
  return saysReady ? 'ready' : 'started';
}

function linkMeaning(url: URL): LinkMeaning {
  const isChatGpt = url.hostname === 'chatgpt.com';
  if (isChatGpt && url.pathname.startsWith('/c/')) return 'other-mail';
  return PLAIN_HOSTS.includes(url.hostname) || (isChatGpt && url.pathname === '/') ? 'plain' : 'unknown';
}
