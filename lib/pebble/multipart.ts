// The multipart form in which Pebble takes and gives files: raw bytes beside a part of JSON.
// Source: RFC 7578 and RFC 2046.

export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly content: Uint8Array;
}

export interface Multipart {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The parts as one body, separated by a line that occurs in none of them. */
export function renderMultipart(parts: readonly Part[]): Multipart {
  const boundary = chooseBoundary(parts);
  const pieces = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${renderHeaders(part)}\r\n\r\n`),
    part.content,
    Buffer.from('\r\n'),
  ]);
  const body = Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

/** The parts of a body; `undefined` when the body is not what its content type says. */
export function parseMultipart(contentType: string, body: Buffer): readonly Part[] | undefined {
  const boundary = /^multipart\/form-data;.*\bboundary="?(?<text>[^";]+)"?/i.exec(contentType);
  const text = boundary?.groups?.['text'];
  if (text === undefined) return undefined;
  // Every separator follows a line break; the first one may begin the body.
  const separator = Buffer.from(`\r\n--${text}`);
  const padded = Buffer.concat([Buffer.from('\r\n'), body]);
  const parts: Part[] = [];
  for (let start = padded.indexOf(separator); start >= 0; ) {
    start += separator.length;
    if (padded.toString('latin1', start, start + 2) === '--') return parts;
    const end = padded.indexOf(separator, start);
    const part = end < 0 ? undefined : parsePart(padded.subarray(start, end));
    if (part === undefined) return undefined;
    parts.push(part);
    start = end;
  }
  return undefined;
}

// Pebble asks for at least 32 characters.
const boundaryPrefix = '--------------------------------part';

function chooseBoundary(parts: readonly Part[]): string {
  for (let number = 0; ; number += 1) {
    const boundary = `${boundaryPrefix}${number}x`;
    if (parts.every((part) => !Buffer.from(part.content).includes(boundary))) return boundary;
  }
}

function renderHeaders(part: Part): string {
  const filename = part.filename === undefined ? '' : `; filename=${quote(part.filename)}`;
  return [
    `Content-Disposition: form-data; name=${quote(part.name)}${filename}`,
    `Content-Type: ${part.contentType ?? 'application/octet-stream'}`,
  ].join('\r\n');
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function parsePart(bytes: Buffer): Part | undefined {
  const headersEnd = bytes.indexOf('\r\n\r\n');
  if (headersEnd < 0) return undefined;
  const headers = bytes.toString('utf8', 0, headersEnd);
  const name = readParameter(headers, 'name');
  if (name === undefined) return undefined;
  const filename = readParameter(headers, 'filename');
  const contentType = /^content-type: *(?<text>.*)$/im.exec(headers)?.groups?.['text'];
  return {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
    content: bytes.subarray(headersEnd + 4),
  };
}

function readParameter(headers: string, name: string): string | undefined {
  const pattern = new RegExp(String.raw`[; ]${name}="(?<text>(?:[^"\\]|\\.)*)"`, 'i');
  const text = pattern.exec(headers)?.groups?.['text'];
  return text?.replaceAll(/\\(.)/g, '$1');
}
