// Values that a field of a kind must not have, each with the code that answers it. `undefined`: the field is
// missing.
const FORMAT = 'invalid-format';
const LARGE = 'too-large';
const MIB = 1024 * 1024;

const bytes = Buffer.from('x');
const all = (code, ...values) => values.map((value) => [value, code]);
const NO_TEXT = all(FORMAT, 5, -1, 1.5, true, [], ['r'], {}, {$ne: 1}, bytes);
const NO_NUMBER = all(FORMAT, '5', '', -1, 1.5, 1e300, 2 ** 63, true, [], [1], {}, bytes);
const ABSENT = all(FORMAT, undefined, null);
const longTexts = (max) => all(LARGE, 'x'.repeat(max + 1), 'é'.repeat(max / 2 + 1), 'x'.repeat(MIB / 2));
const names = all(FORMAT, '', 'x'.repeat(256), 'é'.repeat(128), 'a\u0000b', 'a\nb', '\u001f', '\u007f');

/** A room's or user's name. */
export const NAME = [...ABSENT, ...NO_TEXT, ...names];
export const OPTIONAL_NAME = [...NO_TEXT, ...names];
export const STATUS =
    [...ABSENT, ...NO_TEXT, ...all(FORMAT, '', 'x'.repeat(65), 'é'.repeat(65), 'x'.repeat(MIB / 2), 'a\nb')];
/** A text of at most so many bytes. */
export const text = (max) => [...ABSENT, ...NO_TEXT, ...longTexts(max)];
export const optionalText = (max) => [...NO_TEXT, ...longTexts(max)];
export const NUMBER = [...ABSENT, ...NO_NUMBER];
export const OPTIONAL_NUMBER = NO_NUMBER;
/** Texts of at most 128 bytes. */
export const IDS = [
  ...all(FORMAT, 5, 'x', true, {}, bytes, [5], [null], [''], [['x']], ['x'.repeat(129)]),
  ...all(LARGE, Array(1001).fill('x'))
];
/** An object of at most so many bytes of JSON. */
export const optionalObject =
    (max) => [...all(FORMAT, 5, 'x', true, [], [{}], bytes), ...all(LARGE, {x: 'y'.repeat(max)})];
/** Anything that is there, up to so many bytes of JSON. */
export const something = (max) => [...ABSENT, ...all(LARGE, 'x'.repeat(max), {x: Array(max / 2).fill(0)})];
export const BASE64 = [...ABSENT, ...all(FORMAT, 5, true, [], {}, 'no base64!', 'YQ', 'YQ=', '*')];
