import { InputError } from "../../src/gpt/base/errors";
import type { Storage } from "../../src/gpt/base/platform";

/** What a place has under this name is what was written last: 3, 4. Whoever begins it again gives up what was begun. */
export async function expectOneAtATime(storage: Storage, name: string): Promise<void> {
  const files = [await storage.create(name), await storage.create(name)];
  files.push(...(await Promise.all([storage.create(name), storage.create(name)])));
  const last = files.pop();
  if (!last) throw new RangeError("There is no file.");
  last.write(Uint8Array.of(3));
  for (const [i, file] of files.entries()) {
    expect(() => file.write(Uint8Array.of(1, 2))).toThrow(InputError);
    expect(() => file.write(Uint8Array.of(1, 2))).toThrow(/^Cannot write .*: it is closed\.$/);
    if (i > 0) await expect(file.commit()).rejects.toThrow(InputError);
    file.abort();
    file.abort();
  }
  last.write(Uint8Array.of(4));
  await last.commit();
  last.abort();
  expect(() => last.write(Uint8Array.of(5))).toThrow(InputError);
  const stored = await storage.open(name);
  const bytes = new Uint8Array(3);
  expect([stored?.size, stored?.read(0, bytes), [...bytes]]).toEqual([2, 2, [3, 4, 0]]);
  stored?.close();
}
