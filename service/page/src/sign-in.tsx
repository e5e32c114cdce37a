import { useEffect, useState } from "preact/hooks";
import { api, Problem } from "./api/client";
import { Notice } from "./common/parts";

export function SignIn({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState("");
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in – BasicAer";
  }, []);

  async function signIn(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setTrouble("");
    try {
      await api.signIn(token.trim());
      onDone();
    } catch (error) {
      setTrouble(error instanceof Problem ? error.message : String(error));
    }
    setBusy(false);
  }

  return (
    <section class="card sign-in">
      <h1>Sign in</h1>
      <p class="muted">This server wants to know who calls. Its operator makes a token for you:</p>
      <pre class="code" tabIndex={0}>
        basicaer token create you
      </pre>
      <form onSubmit={(event) => void signIn(event)}>
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {trouble && <Notice kind="bad">{trouble}</Notice>}
        <button type="submit" class="primary" disabled={busy || !token.trim()}>
          Sign in
        </button>
      </form>
      <p class="muted small">
        The token stays in a cookie that no script can read, until the browser closes or you sign out.
      </p>
    </section>
  );
}
