/** The interpreter that is selected for the workspace, and whether it has PoliTerm. */
import { homedir } from "node:os";
import * as vscode from "vscode";
import { execute } from "./execute";

/** The part of the Python extension's interface that is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

const SECONDS = 20;
/** As long as the Python extension may take to come up, before we go on without it. */
const PATIENCE = 5_000;

/** The path of the selected interpreter, by the Python extension, else by its setting; undefined where none is. */
export async function selectedInterpreter(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension !== undefined) {
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE));
    const found = await Promise.race([active(extension), late]).catch(() => undefined);
    if (found !== undefined) {
      return found;
    }
  }
  const set = vscode.workspace.getConfiguration("python").inspect<string>("defaultInterpreterPath");
  return set?.workspaceFolderValue ?? set?.workspaceValue ?? set?.globalValue;
}

async function active(extension: vscode.Extension<PythonApi>): Promise<string | undefined> {
  const { environments } = await extension.activate();
  const resource = vscode.workspace.workspaceFolders?.[0]?.uri;
  const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(resource));
  return environment?.executable.uri?.fsPath;
}

/** The version of PoliTerm that it has; undefined where it has none, or is none. */
export async function versionOf(interpreter: string): Promise<string | undefined> {
  // -P keeps the current folder off the path: what is asked for is what is installed, not what lies around.
  const argv = [interpreter, "-P", "-c", "import politerm; print('politerm', politerm.__version__)"];
  const { code, output } = await execute({ argv, cwd: homedir(), seconds: SECONDS });
  return code === 0 ? /^politerm (\S+)$/m.exec(output)?.[1] : undefined;
}
