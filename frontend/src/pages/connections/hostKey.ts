/** SSH public keys as people compare them: by fingerprint, as `ssh-keygen -l` prints it. */

/** "SHA256:…"; undefined for what is no key, and where the browser offers no digest. */
export async function fingerprint(line: string): Promise<string | undefined> {
  const blob = decoded(line.trim().split(/\s+/)[1] ?? "");
  if (blob === undefined || !window.isSecureContext) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", blob));
  return `SHA256:${btoa(String.fromCharCode(...digest)).replace(/=+$/, "")}`;
}

/** The key's type, for example "ssh-ed25519". */
export function keyType(line: string): string {
  return line.trim().split(/\s+/)[0] ?? "";
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const text = atob(base64);
    return text === "" ? undefined : Uint8Array.from(text, (each) => each.charCodeAt(0));
  } catch {
    return undefined;
  }
}
