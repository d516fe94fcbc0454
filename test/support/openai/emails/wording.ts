/** The languages that the mails exist in here (BCP 47). Only `en` and the Chinese subject and button are known for sure. */
export const EMAIL_LANGUAGES = [
  'en',
  'zh',
  'de',
  'fr',
  'es',
  'ja',
  'pt',
  'ru',
  'it',
  'nl',
  'pl',
  'sv',
  'uk',
  'tr',
  'ko',
  'ar',
  'vi',
] as const;
export type EmailLanguage = (typeof EMAIL_LANGUAGES)[number];

/** The mails of `noreply@tm.openai.com`: the two that speak of an export, and its others. */
export const EMAIL_KINDS = [
  'ready',
  'started',
  'code',
  'sign-in',
  'task',
  'plan',
  'api-funded',
  'workspace-invite',
] as const;
export type EmailKind = (typeof EMAIL_KINDS)[number];

/** What a mail says. */
export interface Wording {
  readonly subject: string;
  readonly lines: readonly string[];
  /** The label of the button that leads to the mail's link, where it has one. */
  readonly button?: string;
  /** The label of the link to the help centre. */
  readonly help: string;
}

interface ExportWords {
  readonly readySubject: string;
  readonly ready: readonly [string, ...string[]];
  readonly button: string;
  readonly startedSubject: string;
  readonly started: readonly [string, ...string[]];
  readonly help: string;
}

const EXPORT_WORDS: Readonly<Record<EmailLanguage, ExportWords>> = {
  en: {
    readySubject: 'ChatGPT - Your data export is ready',
    ready: [
      'Your data export is now ready. Please click on the link below to download your data.',
      'The download link expires 24 hours after you receive it.',
    ],
    button: 'Download data export',
    startedSubject: 'ChatGPT - Your data export has started',
    started: [
      'We have started to prepare your data export.',
      'You will receive an email with a link once it is ready.',
    ],
    help: 'Help center',
  },
  zh: {
    readySubject: 'ChatGPT - 你的数据导出已准备就绪',
    ready: ['你的数据导出现已准备就绪。请点击下方链接下载你的数据。', '下载链接将在你收到后 24 小时内失效。'],
    button: '下载数据导出',
    startedSubject: 'ChatGPT - 你的数据导出已开始',
    started: ['我们已开始准备你的数据导出。', '准备就绪后,你会收到一封包含下载链接的电子邮件。'],
    help: '帮助中心',
  },
  de: {
    readySubject: 'ChatGPT - Dein Datenexport ist bereit',
    ready: [
      'Dein Datenexport steht jetzt bereit. Klicke auf den folgenden Link, um deine Daten herunterzuladen.',
      'Der Link läuft 24 Stunden nach Erhalt ab.',
    ],
    button: 'Datenexport herunterladen',
    startedSubject: 'ChatGPT - Dein Datenexport wurde gestartet',
    started: ['Wir bereiten deinen Datenexport vor.', 'Sobald er fertig ist, erhältst du eine E-Mail mit einem Link.'],
    help: 'Hilfe',
  },
  fr: {
    readySubject: 'ChatGPT - Votre exportation de données est prête',
    ready: [
      'Votre exportation de données est prête. Cliquez sur le lien ci-dessous pour télécharger vos données.',
      'Le lien de téléchargement expire 24 heures après sa réception.',
    ],
    button: 'Télécharger l’exportation de données',
    startedSubject: 'ChatGPT - Votre exportation de données a commencé',
    started: [
      'Nous préparons votre exportation de données.',
      'Vous recevrez un e-mail avec un lien dès qu’elle sera prête.',
    ],
    help: 'Centre d’aide',
  },
  es: {
    readySubject: 'ChatGPT - Tu exportación de datos está lista',
    ready: [
      'Tu exportación de datos ya está lista. Haz clic en el enlace de abajo para descargar tus datos.',
      'El enlace de descarga caduca 24 horas después de recibirlo.',
    ],
    button: 'Descargar exportación de datos',
    startedSubject: 'ChatGPT - Tu exportación de datos ha comenzado',
    started: [
      'Hemos empezado a preparar tu exportación de datos.',
      'Recibirás un correo con un enlace cuando esté lista.',
    ],
    help: 'Centro de ayuda',
  },
  ja: {
    readySubject: 'ChatGPT - データのエクスポートの準備ができました',
    ready: [
      'データのエクスポートの準備ができました。以下のリンクをクリックしてデータをダウンロードしてください。',
      'ダウンロードリンクは受信から24時間で失効します。',
    ],
    button: 'データエクスポートをダウンロード',
    startedSubject: 'ChatGPT - データのエクスポートを開始しました',
    started: ['データのエクスポートの準備を開始しました。', '準備ができ次第、リンクを記載したメールをお送りします。'],
    help: 'ヘルプセンター',
  },
  pt: {
    readySubject: 'ChatGPT - Sua exportação de dados está pronta',
    ready: [
      'Sua exportação de dados está pronta. Clique no link abaixo para baixar seus dados.',
      'O link de download expira 24 horas após o recebimento.',
    ],
    button: 'Baixar exportação de dados',
    startedSubject: 'ChatGPT - Sua exportação de dados foi iniciada',
    started: [
      'Começamos a preparar sua exportação de dados.',
      'Você receberá um e-mail com um link quando ela estiver pronta.',
    ],
    help: 'Central de ajuda',
  },
  ru: {
    readySubject: 'ChatGPT - Экспорт ваших данных готов',
    ready: [
      'Экспорт ваших данных готов. Нажмите на ссылку ниже, чтобы скачать данные.',
      'Ссылка действует 24 часа с момента получения письма.',
    ],
    button: 'Скачать экспорт данных',
    startedSubject: 'ChatGPT - Экспорт ваших данных начат',
    started: ['Мы начали готовить экспорт ваших данных.', 'Когда он будет готов, вы получите письмо со ссылкой.'],
    help: 'Центр поддержки',
  },
  it: {
    readySubject: 'ChatGPT - La tua esportazione dei dati è pronta',
    ready: ['La tua esportazione dei dati è pronta. Fai clic sul link qui sotto per scaricare i tuoi dati.'],
    button: 'Scarica l’esportazione dei dati',
    startedSubject: 'ChatGPT - La tua esportazione dei dati è stata avviata',
    started: ['Stiamo preparando la tua esportazione dei dati.', 'Riceverai un’e-mail con un link quando sarà pronta.'],
    help: 'Centro assistenza',
  },
  nl: {
    readySubject: 'ChatGPT - Je gegevensexport is klaar',
    ready: ['Je gegevensexport is klaar. Klik op de link hieronder om je gegevens te downloaden.'],
    button: 'Gegevensexport downloaden',
    startedSubject: 'ChatGPT - Je gegevensexport is gestart',
    started: ['We bereiden je gegevensexport voor.', 'Je krijgt een e-mail met een link zodra die klaar is.'],
    help: 'Helpcentrum',
  },
  pl: {
    readySubject: 'ChatGPT - Eksport danych jest gotowy',
    ready: ['Eksport Twoich danych jest gotowy. Kliknij poniższy link, aby pobrać dane.'],
    button: 'Pobierz eksport danych',
    startedSubject: 'ChatGPT - Rozpoczęto eksport danych',
    started: ['Przygotowujemy eksport Twoich danych.', 'Gdy będzie gotowy, otrzymasz e-mail z linkiem.'],
    help: 'Centrum pomocy',
  },
  sv: {
    readySubject: 'ChatGPT - Din dataexport är klar',
    ready: ['Din dataexport är klar. Klicka på länken nedan för att ladda ner dina data.'],
    button: 'Ladda ner dataexport',
    startedSubject: 'ChatGPT - Din dataexport har startat',
    started: ['Vi förbereder din dataexport.', 'Du får ett mejl med en länk när den är klar.'],
    help: 'Hjälpcenter',
  },
  uk: {
    readySubject: 'ChatGPT - Експорт ваших даних готовий',
    ready: ['Експорт ваших даних готовий. Натисніть посилання нижче, щоб завантажити дані.'],
    button: 'Завантажити експорт даних',
    startedSubject: 'ChatGPT - Експорт ваших даних розпочато',
    started: ['Ми почали готувати експорт ваших даних.', 'Коли він буде готовий, ви отримаєте лист із посиланням.'],
    help: 'Центр підтримки',
  },
  tr: {
    readySubject: 'ChatGPT - Veri dışa aktarımınız hazır',
    ready: ['Veri dışa aktarımınız hazır. Verilerinizi indirmek için aşağıdaki bağlantıya tıklayın.'],
    button: 'Veri dışa aktarımını indir',
    startedSubject: 'ChatGPT - Veri dışa aktarımınız başladı',
    started: ['Veri dışa aktarımınızı hazırlıyoruz.', 'Hazır olduğunda bağlantı içeren bir e-posta alacaksınız.'],
    help: 'Yardım merkezi',
  },
  ko: {
    readySubject: 'ChatGPT - 데이터 내보내기가 준비되었습니다',
    ready: ['데이터 내보내기가 준비되었습니다. 아래 링크를 클릭하여 데이터를 다운로드하세요.'],
    button: '데이터 내보내기 다운로드',
    startedSubject: 'ChatGPT - 데이터 내보내기가 시작되었습니다',
    started: ['데이터 내보내기를 준비하고 있습니다.', '준비가 되면 링크가 포함된 이메일을 보내 드립니다.'],
    help: '고객 센터',
  },
  ar: {
    readySubject: 'ChatGPT - تصدير بياناتك جاهز',
    ready: ['تصدير بياناتك جاهز الآن. انقر على الرابط أدناه لتنزيل بياناتك.'],
    button: 'تنزيل تصدير البيانات',
    startedSubject: 'ChatGPT - بدأ تصدير بياناتك',
    started: ['بدأنا في إعداد تصدير بياناتك.', 'ستتلقى رسالة تحتوي على رابط عندما يصبح جاهزًا.'],
    help: 'مركز المساعدة',
  },
  vi: {
    readySubject: 'ChatGPT - Bản xuất dữ liệu của bạn đã sẵn sàng',
    ready: ['Bản xuất dữ liệu của bạn đã sẵn sàng. Nhấp vào liên kết bên dưới để tải dữ liệu xuống.'],
    button: 'Tải xuống bản xuất dữ liệu',
    startedSubject: 'ChatGPT - Quá trình xuất dữ liệu của bạn đã bắt đầu',
    started: ['Chúng tôi đang chuẩn bị bản xuất dữ liệu của bạn.', 'Bạn sẽ nhận được email kèm liên kết khi sẵn sàng.'],
    help: 'Trung tâm trợ giúp',
  },
};

type OtherKind = Exclude<EmailKind, 'ready' | 'started'>;

/** The sender's other mails; they come in English here. */
const OTHER_WORDS: Readonly<Record<OtherKind, Omit<Wording, 'help'>>> = {
  code: {
    subject: 'Your ChatGPT code is 492817',
    lines: [
      'Enter this temporary verification code to continue:',
      '492817',
      'If you did not try to log in, ignore this email.',
    ],
  },
  'sign-in': {
    subject: 'New sign-in to your OpenAI account',
    lines: [
      'We noticed a new sign-in to your account from Firefox on Linux.',
      'If this was not you, reset your password.',
    ],
    button: 'Review sign-in',
  },
  task: {
    subject: 'Your data export is ready to be reviewed (weekly reminder)',
    lines: ['ChatGPT finished a task that you scheduled.', 'Here is your weekly reminder about the quarterly export.'],
    button: 'View in ChatGPT',
  },
  plan: {
    subject: 'ChatGPT - Your plan has changed',
    lines: ['Your ChatGPT Plus subscription renews on the first of next month.'],
    button: 'Manage subscription',
  },
  'api-funded': {
    subject: 'Your OpenAI API account has been funded',
    lines: ['We charged $20.00 to your card ending in 4242.', 'Your new balance is $21.37.'],
    button: 'View billing',
  },
  'workspace-invite': {
    subject: 'You have been invited to a ChatGPT workspace',
    lines: ['A colleague invited you to join their workspace “Kitchen & Co”.'],
    button: 'Join workspace',
  },
};

/** What a mail of this kind says in this language; kinds that do not speak of an export are in English. */
export function wordingOf(kind: EmailKind, language: EmailLanguage): Wording {
  const words = EXPORT_WORDS[language];
  if (kind === 'ready')
    return { subject: words.readySubject, lines: words.ready, button: words.button, help: words.help };
  if (kind === 'started') return { subject: words.startedSubject, lines: words.started, help: words.help };
  return { ...OTHER_WORDS[kind], help: EXPORT_WORDS.en.help };
}

/** Where the button of a mail leads unless told otherwise; the sender's other mails count clicks. */
export const DEFAULT_LINKS: Readonly<Record<EmailKind, string>> = {
  ready: `https://chatgpt.com/backend-api/estuary/content?id=${'0123456789abcdef'.repeat(4)}-2026-03-01-10-20-30-${'fedcba9876543210'.repeat(2)}.zip&ts=491234&p=de&cid=1&sig=${'a1b2c3d4'.repeat(8)}&v=0`,
  started: 'https://chatgpt.com/',
  code: 'https://chatgpt.com/',
  'sign-in': 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a&v=2',
  task: 'https://chatgpt.com/c/67f0a1b2-c3d4-8001-9e5f-0a1b2c3d4e5f?utm_source=tasks&utm_medium=email',
  plan: 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.pL4nCh4nged-2B&v=2',
  'api-funded': 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.fUnd3d-2FqL0a&v=2',
  'workspace-invite': 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.1nv1te-2Bq&v=2',
};
