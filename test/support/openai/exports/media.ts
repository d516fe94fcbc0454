import { crc32, deflateSync } from 'node:zlib';
import { SeededRandom } from './random.ts';

/** A PNG image (ISO/IEC 15948): `side` × `side` pixels of coloured noise, about 3 bytes a pixel. */
export function pngImage(seed: string, side = 56): Buffer {
  const random = new SeededRandom(`png/${seed}`);
  const rows = Buffer.alloc(side * (1 + side * 3));
  for (let y = 0; y < side; y += 1) {
    const start = y * (1 + side * 3) + 1;
    for (let x = 0; x < side * 3; x += 1) rows[start + x] = (y * 3 + x + random.below(64)) & 0xff;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}

/**
 * The header of a WAV file with `dataBytes` of 16-bit mono sound at 24 kHz (RIFF, 44 bytes). Beyond 4 GiB it says the
 * most that the format can.
 */
export function wavHeader(dataBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(Math.min(dataBytes + 36, 0xffff_ffff), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(24_000, 24);
  header.writeUInt32LE(48_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(Math.min(dataBytes, 0xffff_ffff), 40);
  return header;
}

/** A quarter of a second of a hum with some noise. */
export function wavSound(seed: string, samples = 6_000): Buffer {
  const random = new SeededRandom(`wav/${seed}`);
  const pitch = random.between(110, 440) / 24_000;
  const sound = Buffer.alloc(samples * 2);
  for (let index = 0; index < samples; index += 1) {
    const hum = Math.sin(2 * Math.PI * pitch * index) * 9_000;
    sound.writeInt16LE(Math.round(hum) + random.below(200), index * 2);
  }
  return Buffer.concat([wavHeader(sound.length), sound]);
}

/** A JPEG image (ITU-T T.81): 8 × 8 grey pixels, the smallest baseline file; the seed is in its comment. */
export function jpegImage(seed: string): Buffer {
  const comment = Buffer.from(new SeededRandom(`jpeg/${seed}`).hex(512), 'latin1');
  const segment = (marker: number, data: Buffer): Buffer => {
    const frame = Buffer.alloc(4);
    frame.writeUInt16BE(0xff00 | marker, 0);
    frame.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([frame, data]);
  };
  // One code of one bit in each Huffman table: "no difference" for DC, "end of block" for AC.
  const huffman = (tableClass: number): Buffer => Buffer.from([tableClass << 4, 1, ...Array<number>(15).fill(0), 0]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
    segment(0xfe, comment),
    segment(0xdb, Buffer.alloc(65, 1).fill(0, 0, 1)),
    segment(0xc0, Buffer.from([8, 0, 8, 0, 8, 1, 1, 0x11, 0])),
    segment(0xc4, huffman(0)),
    segment(0xc4, huffman(1)),
    segment(0xda, Buffer.from([1, 1, 0x00, 0, 63, 0])),
    Buffer.from([0x3f, 0xff, 0xd9]),
  ]);
}

/** A single black pixel, lossy (VP8). */
const WEBP_PIXEL = 'MAEAnQEqAQABAA7A/iWkAANwAAAAAA==';

/** A WebP image (RFC 9649, extended layout): one pixel, and the seed as XMP metadata. */
export function webpImage(seed: string): Buffer {
  const canvas = Buffer.alloc(10);
  canvas[0] = 0b0000_0100;
  const xmp = Buffer.from(
    `<x:xmpmeta xmlns:x="adobe:ns:meta/">${new SeededRandom(`webp/${seed}`).hex(2_048)}</x:xmpmeta>`,
  );
  const chunks = Buffer.concat([
    riffChunk('VP8X', canvas),
    riffChunk('VP8 ', Buffer.from(WEBP_PIXEL, 'base64')),
    riffChunk('XMP ', xmp),
  ]);
  return riffChunk('RIFF', Buffer.concat([Buffer.from('WEBP', 'latin1'), chunks]));
}

function riffChunk(type: string, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(type, 0, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length % 2)]);
}

/** A PDF of one page with one line of text (ISO 32000-1). */
export function pdfDocument(seed: string): Buffer {
  const line = `BT /F1 18 Tf 72 720 Td (Draft ${new SeededRandom(`pdf/${seed}`).hex(32)}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${line.length} >>\nstream\n${line}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  body += `xref\n0 6\n0000000000 65535 f \n${rows}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(body, 'latin1');
}

/** Some kilobytes of rows. */
export function tableText(seed: string): Buffer {
  const random = new SeededRandom(`table/${seed}`);
  const rows = Array.from(
    { length: 200 },
    (_, row) => `${row},2024-${random.between(1, 12)},${random.below(10_000)},Köln\n`,
  );
  return Buffer.from(`id,month,total,place\n${rows.join('')}`);
}

const NOISE_BLOCK_BYTES = 256 * 1024;
let noiseBlock: Buffer | undefined;

function filledNoiseBlock(): Buffer {
  if (noiseBlock !== undefined) return noiseBlock;
  noiseBlock = Buffer.alloc(NOISE_BLOCK_BYTES);
  const random = new SeededRandom('noise');
  for (let offset = 0; offset < NOISE_BLOCK_BYTES; offset += 4) noiseBlock.writeUInt32LE(random.uint32(), offset);
  return noiseBlock;
}

/**
 * `bytes` of noise that no compressor shrinks within its window: one random block over and over, each copy marked with
 * the seed and a counter so that no two files or blocks are alike. As fast as memory is copied.
 */
export function* noise(seed: string, bytes: number): Generator<Buffer> {
  const block = filledNoiseBlock();
  const mark = new SeededRandom(`noise/${seed}`);
  const high = mark.uint32();
  for (let done = 0, counter = 0; done < bytes; counter += 1) {
    const chunk = Buffer.from(block.subarray(0, Math.min(NOISE_BLOCK_BYTES, bytes - done)));
    if (chunk.length >= 8) {
      chunk.writeUInt32LE(high, 0);
      chunk.writeUInt32LE(counter, 4);
    }
    done += chunk.length;
    yield chunk;
  }
}
