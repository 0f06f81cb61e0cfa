/** The page that a webview of the editor is given: one script, one style sheet, and a policy that allows nothing else. */

export interface Parts {
  /** What local files are served from. */
  readonly source: string;
  readonly script: string;
  readonly style: string;
  readonly nonce: string;
}

export function pageDocument({ source, script, style, nonce }: Parts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source}`,
    `font-src ${source}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // The style sheet has this name because elements in their own trees look their icons up by it.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" id="vscode-codicon-stylesheet" href="${style}">
<title>PoliTerm</title>
</head>
<body><div id="timeline"></div><script nonce="${nonce}" src="${script}"></script></body>
</html>`;
}
