/** Where a file that an agent names may be: inside one of the folders, and nowhere else. Pure. */
import type { PlatformPath } from "node:path";

export function within(name: string, folders: readonly string[], path: PlatformPath): readonly string[] {
  return folders
    .map((folder) => [path.resolve(folder), path.resolve(folder, name)] as const)
    .filter(([folder, place]) => place.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`))
    .map(([, place]) => place);
}
