import { SeededRandom } from './random.ts';

/** The languages that conversations are held in (BCP 47). */
export const LANGUAGES = ['en', 'zh', 'de', 'fr', 'es', 'ja', 'pt', 'ru', 'ar'] as const;
export type Language = (typeof LANGUAGES)[number];

type Words = readonly [string, ...string[]];

interface Vocabulary {
  readonly titles: Words;
  readonly questions: Words;
  readonly openers: Words;
  readonly subjects: Words;
  readonly predicates: Words;
  readonly headings: Words;
  readonly stop: string;
  /** What stands between words and sentences; none in Chinese and Japanese. */
  readonly space: string;
}

const VOCABULARIES: Readonly<Record<Language, Vocabulary>> = {
  en: {
    titles: [
      'Sourdough starter rescue',
      'Fixing a leaky tap',
      'Trip to Lisbon in May',
      'SQL window functions',
      'Cover letter review',
      'Names for a grey cat',
      "Grandma's apple cake 🍎",
      'Bayes, explained slowly',
    ],
    questions: [
      'Can you explain this to me as if I were new to it?',
      'What would you change in this draft, and why?',
      'It fails with the error below. What am I missing?',
      'Please compare the two options in a table.',
      'I only have twenty minutes and an oven that runs hot. What now?',
      'Could you make that shorter and a little warmer?',
      'How sure are you about the second step?',
      'Thanks! And what if there are two thousand of them? 🙂',
    ],
    openers: [
      '',
      '',
      'In short: ',
      'As a rule, ',
      'In practice, ',
      'Put differently: ',
      'Here, ',
      'Most of the time, ',
    ],
    subjects: [
      'the simplest approach',
      'the second step',
      'a smaller batch',
      'this method',
      'the older version',
      'the cache',
      'a good first draft',
      'the middle paragraph',
      'the default setting',
      'a slow cooker',
    ],
    predicates: [
      'keeps the number of moving parts low',
      'depends on how much time you have',
      "doesn't need any further tools",
      'saves you about a third of the effort',
      'works well until the data grows past memory',
      'tends to fail without saying so',
      'is easier to test on its own',
      'becomes clearer with an example',
      'should be done before anything else',
      'turns out better when it rests overnight',
      'is what “idempotent” means in this context',
      'costs a little more — and is worth it',
    ],
    headings: ['What happens', 'Step by step', 'Trade-offs', 'An example', 'Summary'],
    stop: '.',
    space: ' ',
  },
  zh: {
    titles: ['周末菜谱计划', '论文摘要润色', '如何学习线性代数', '北京三日游路线', '简历修改建议', '宠物猫的名字 🐱'],
    questions: [
      '能不能用更简单的话解释一下？',
      '请帮我把这段文字改得更自然一些。',
      '运行时报错了,是哪里出了问题？',
      '这两个方案各有什么优缺点？请用表格列出来。',
      '如果时间只有二十分钟,应该怎么做？',
      '谢谢！那如果数据量再大一百倍呢？',
    ],
    openers: ['', '', '简单来说,', '一般情况下,', '换句话说,', '在实际使用中,'],
    subjects: ['最简单的方法', '第二个步骤', '这个公式', '较旧的版本', '缓存', '初稿', '默认设置', '这种写法'],
    predicates: [
      '可以减少出错的机会',
      '取决于你有多少时间',
      '不需要额外的工具',
      '大约能节省三分之一的精力',
      '在数据量不大时效果很好',
      '更容易单独测试',
      '用一个例子来说明会更清楚',
      '应该放在最前面完成',
      '放置一夜之后味道更好',
    ],
    headings: ['原因', '具体步骤', '优缺点', '示例', '总结'],
    stop: '。',
    space: '',
  },
  de: {
    titles: [
      'Steuererklärung für Anfänger',
      'Käsekuchen ohne Boden',
      'Kündigungsschreiben prüfen',
      'Wanderung im Allgäu',
      'Python: größte Dateien finden',
    ],
    questions: [
      'Kannst du mir das bitte einfacher erklären?',
      'Was würdest du an diesem Entwurf ändern?',
      'Beim Ausführen kommt die Fehlermeldung unten. Woran liegt das?',
      'Stell die beiden Möglichkeiten bitte in einer Tabelle gegenüber.',
      'Und wie geht das, wenn ich nur zwanzig Minuten habe?',
      'Danke! Geht es auch etwas höflicher?',
    ],
    openers: ['', '', 'Kurz gesagt: ', 'Wichtig: ', 'Anders ausgedrückt: ', 'Zum Beispiel: '],
    subjects: [
      'der einfachste Weg',
      'der zweite Schritt',
      'eine kleinere Menge',
      'die ältere Fassung',
      'der Zwischenspeicher',
      'ein erster Entwurf',
      'die Voreinstellung',
      'diese Lösung',
    ],
    predicates: [
      'kommt mit wenigen Teilen aus',
      'hängt davon ab, wie viel Zeit du hast',
      'braucht keine weiteren Werkzeuge',
      'spart ungefähr ein Drittel der Mühe',
      'lässt sich für sich allein besser prüfen',
      'wird mit einem Beispiel klarer',
      'gehört vor alles andere',
      'schmeckt am nächsten Tag noch besser',
      'läuft gut, solange die Daten in den Speicher passen',
    ],
    headings: ['Was passiert', 'Schritt für Schritt', 'Vor- und Nachteile', 'Beispiel', 'Zusammenfassung'],
    stop: '.',
    space: ' ',
  },
  fr: {
    titles: [
      'Lettre de motivation',
      'Recette de crêpes',
      'Week-end à Marseille',
      'Réviser les intégrales',
      'Idées de prénoms',
    ],
    questions: [
      'Peux-tu m’expliquer cela plus simplement ?',
      'Qu’est-ce que tu changerais dans ce texte ?',
      'J’obtiens l’erreur ci-dessous. Où est le problème ?',
      'Compare les deux solutions dans un tableau, s’il te plaît.',
      'Et si je n’ai que vingt minutes ?',
    ],
    openers: ['', '', 'En bref, ', 'En pratique, ', 'Autrement dit, ', 'Le plus souvent, '],
    subjects: [
      'la méthode la plus simple',
      'la deuxième étape',
      'une petite quantité',
      'l’ancienne version',
      'le premier jet',
      'le réglage par défaut',
      'cette solution',
    ],
    predicates: [
      'évite bien des erreurs',
      'dépend du temps dont tu disposes',
      'ne demande aucun autre outil',
      'fait gagner environ un tiers du travail',
      'se vérifie plus facilement à part',
      's’éclaire avec un exemple',
      'passe avant tout le reste',
      'est encore meilleure le lendemain',
    ],
    headings: ['Pourquoi', 'Étape par étape', 'Avantages et limites', 'Exemple', 'Résumé'],
    stop: '.',
    space: ' ',
  },
  es: {
    titles: [
      'Plan de entrenamiento',
      'Tortilla de patatas',
      'Carta al casero',
      '¿Qué es un puntero?',
      'Vacaciones en Asturias',
    ],
    questions: [
      '¿Puedes explicármelo de forma más sencilla?',
      '¿Qué cambiarías en este borrador?',
      'Me sale el error de abajo. ¿Qué estoy haciendo mal?',
      'Compara las dos opciones en una tabla, por favor.',
      '¿Y si solo tengo veinte minutos?',
    ],
    openers: ['', '', 'En resumen, ', 'En la práctica, ', 'Dicho de otro modo, ', 'Normalmente, '],
    subjects: [
      'la forma más sencilla',
      'el segundo paso',
      'una cantidad menor',
      'la versión anterior',
      'el primer borrador',
      'la opción por defecto',
      'esta solución',
    ],
    predicates: [
      'evita muchos errores',
      'depende del tiempo que tengas',
      'no necesita más herramientas',
      'ahorra más o menos un tercio del esfuerzo',
      'se entiende mejor con un ejemplo',
      'debería hacerse antes que nada',
      'sabe mejor al día siguiente',
      'funciona bien mientras los datos quepan en memoria',
    ],
    headings: ['Qué ocurre', 'Paso a paso', 'Ventajas e inconvenientes', 'Ejemplo', 'Resumen'],
    stop: '.',
    space: ' ',
  },
  ja: {
    titles: ['旅行の計画', '敬語のメール添削', '味噌汁のレシピ', 'Pythonの例外処理', '猫の名前 🐈'],
    questions: [
      'もう少し簡単に説明してもらえますか？',
      'この文章を自然な日本語に直してください。',
      '下のエラーが出ます。原因は何でしょうか？',
      '二つの方法を表で比較してください。',
      '時間が二十分しかない場合はどうすればいいですか？',
    ],
    openers: ['', '', '簡単に言うと、', '多くの場合、', '言い換えると、', '実際には、'],
    subjects: [
      '一番簡単な方法は',
      '二番目の手順は',
      'この書き方は',
      '古いバージョンは',
      '最初の下書きは',
      '初期設定は',
    ],
    predicates: [
      '間違いを減らしてくれます',
      '使える時間によって変わります',
      '特別な道具を必要としません',
      '手間を三割ほど減らせます',
      '例を見るとわかりやすくなります',
      '最初に済ませておくべきです',
      '一晩置くともっとおいしくなります',
    ],
    headings: ['理由', '手順', '長所と短所', '例', 'まとめ'],
    stop: '。',
    space: '',
  },
  pt: {
    titles: [
      'Pão de queijo',
      'Revisão do currículo',
      'Viagem ao Porto',
      'Derivadas parciais',
      'Mensagem para o condomínio',
    ],
    questions: [
      'Você pode explicar isso de um jeito mais simples?',
      'O que você mudaria neste rascunho?',
      'Aparece o erro abaixo. O que estou fazendo de errado?',
      'Compare as duas opções em uma tabela, por favor.',
      'E se eu tiver só vinte minutos?',
    ],
    openers: ['', '', 'Em resumo, ', 'Na prática, ', 'Em outras palavras, ', 'Em geral, '],
    subjects: [
      'o caminho mais simples',
      'o segundo passo',
      'uma porção menor',
      'a versão antiga',
      'o primeiro rascunho',
      'a configuração padrão',
      'esta solução',
    ],
    predicates: [
      'evita muitos erros',
      'depende do tempo que você tem',
      'não precisa de outras ferramentas',
      'economiza cerca de um terço do trabalho',
      'fica mais claro com um exemplo',
      'deve vir antes de todo o resto',
      'fica melhor no dia seguinte',
    ],
    headings: ['O que acontece', 'Passo a passo', 'Vantagens e desvantagens', 'Exemplo', 'Resumo'],
    stop: '.',
    space: ' ',
  },
  ru: {
    titles: [
      'Рецепт борща',
      'Письмо в управляющую компанию',
      'Поездка в Казань',
      'Что такое указатель',
      'Подготовка к собеседованию',
    ],
    questions: [
      'Можешь объяснить это проще?',
      'Что бы ты изменил в этом черновике?',
      'Выдаёт ошибку ниже. В чём может быть дело?',
      'Сравни, пожалуйста, оба варианта в таблице.',
      'А если у меня всего двадцать минут?',
    ],
    openers: ['', '', 'Коротко говоря, ', 'На практике ', 'Иными словами, ', 'Как правило, '],
    subjects: [
      'самый простой способ',
      'второй шаг',
      'небольшой объём',
      'прежний вариант',
      'первый черновик',
      'такой подход',
    ],
    predicates: [
      'избавляет от многих ошибок',
      'зависит от того, сколько есть времени',
      'не требует других инструментов',
      'экономит примерно треть усилий',
      'становится понятнее на примере',
      'должен идти прежде всего остального',
      'на следующий день только лучше',
    ],
    headings: ['Почему так', 'Шаг за шагом', 'За и против', 'Пример', 'Итог'],
    stop: '.',
    space: ' ',
  },
  ar: {
    titles: ['خطة لتعلم البرمجة', 'وصفة الكبسة', 'رسالة إلى المدير'],
    questions: ['هل يمكنك شرح ذلك بطريقة أبسط؟', 'ما الذي ستغيره في هذا النص؟', 'قارن بين الخيارين في جدول من فضلك.'],
    openers: ['', 'باختصار، ', 'عمليًا، '],
    subjects: ['الحل الأبسط', 'الإجراء الثاني', 'الإصدار القديم', 'هذا الأسلوب'],
    predicates: ['يقلل عدد الأخطاء', 'يعتمد على الوقت المتاح لديك', 'لا يحتاج إلى أدوات أخرى', 'يصبح أوضح مع مثال'],
    headings: ['السبب', 'خطوة بخطوة', 'مثال', 'الخلاصة'],
    stop: '.',
    space: ' ',
  },
};

/** The same in every language, as it is in real conversations: code, formulas, tables, links. */
const COMMON_BLOCKS: Words = [
  '```python\nfrom collections import Counter\n\ndef most_common(path: str, n: int = 10) -> list[tuple[str, int]]:\n    """Words of a file, by frequency."""\n    with open(path, encoding="utf-8") as file:\n        return Counter(file.read().split()).most_common(n)\n```',
  "```sql\nSELECT customer_id, total,\n       rank() OVER (PARTITION BY region ORDER BY total DESC) AS place\nFROM orders\nWHERE created_at >= '2024-01-01' AND note <> '';\n```",
  '```html\n<script src="/app.js" defer></script>\n<p class="note">5 &lt; 7 &amp;&amp; "quotes"</p>\n```',
  '```ts\nconst byId = new Map(rows.map((row) => [row.id, row] as const));\nfor (const [id, row] of byId) console.log(id + "\\t" + (row.name ?? "–"));\n```',
  '\\[\n\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}\n\\]',
  "The error is \\( \\varepsilon \\approx \\frac{h^2}{12} f''(\\xi) \\), so halving \\(h\\) quarters it.",
  '| | A | B |\n|---|---:|---:|\n| time | 12 min | 45 min |\n| cost | €3.20 | €1.10 |\n| ☕ needed | 1 | 3 |',
  '> “Make it work, make it right, make it fast.”\n\n---',
  '- [x] ✅ tested on Windows (`C:\\Users\\me\\data`)\n- [ ] 👩🏽‍💻 to be reviewed\n- [ ] see <https://example.com/a?b=1&c=2#d>',
];

const POOL_PARAGRAPHS = 192;
const pools = new Map<Language, Words>();

/** Ready paragraphs and blocks of one language: built once, so that a message is a matter of picking. */
function poolOf(language: Language): Words {
  const known = pools.get(language);
  if (known !== undefined) return known;
  const random = new SeededRandom(`texts/${language}`);
  const words = VOCABULARIES[language];
  const made = Array.from({ length: POOL_PARAGRAPHS }, (_, index) => paragraph(random, words, index));
  const pool: Words = [...COMMON_BLOCKS, ...made];
  pools.set(language, pool);
  return pool;
}

function sentence(random: SeededRandom, words: Vocabulary): string {
  const text = `${random.pick(words.openers)}${random.pick(words.subjects)}${words.space}${random.pick(words.predicates)}${words.stop}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentences(random: SeededRandom, words: Vocabulary, howMany: number): string {
  return Array.from({ length: howMany }, () => sentence(random, words)).join(words.space);
}

function paragraph(random: SeededRandom, words: Vocabulary, index: number): string {
  if (index % 8 === 0) return `### ${random.pick(words.headings)}\n\n${sentences(random, words, 2)}`;
  if (index % 8 === 1)
    return Array.from({ length: 4 }, () => `- **${random.pick(words.subjects)}** – ${sentence(random, words)}`).join(
      '\n',
    );
  if (index % 8 === 2)
    return Array.from({ length: 3 }, (_, step) => `${step + 1}. ${sentence(random, words)}`).join('\n');
  return sentences(random, words, random.between(2, 6));
}

/** A conversation's title. */
export function titleText(random: SeededRandom, language: Language): string {
  return random.pick(VOCABULARIES[language].titles);
}

/** What a person writes: one question, now and then with something pasted below it. */
export function userText(random: SeededRandom, language: Language): string {
  const question = random.pick(VOCABULARIES[language].questions);
  return random.chance(0.25) ? `${question}\n\n${random.pick(poolOf(language))}` : question;
}

/** An answer of some paragraphs in Markdown, about 300 characters each in European languages. */
export function assistantText(random: SeededRandom, language: Language, paragraphs: number): string {
  const pool = poolOf(language);
  let text = random.pick(pool);
  for (let index = 1; index < paragraphs; index += 1) text += `\n\n${random.pick(pool)}`;
  return text;
}

/** One spoken sentence, without Markdown. */
export function spokenText(random: SeededRandom, language: Language): string {
  return sentences(random, VOCABULARIES[language], 2);
}
