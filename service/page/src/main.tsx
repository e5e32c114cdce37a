// The page: who is signed in, and which view the address asks for.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, Problem, whenSignedOut } from "./api/client";
import { forgetAll } from "./api/remembered";
import { setServer } from "./api/server";
import type { Session } from "./api/types";
import { Notice } from "./common/parts";
import { JobView } from "./jobs/job";
import { JobsView } from "./jobs/list";
import { Link, usePath } from "./router";
import { ServerView } from "./server/server";
import { SignIn } from "./sign-in";
import { WriteView } from "./write/write";

const RETRY = 1000;

function useSession(): [Session | undefined, string, () => void] {
  const [session, setSession] = useState<Session>();
  const [trouble, setTrouble] = useState("");
  async function look(): Promise<void> {
    try {
      const found = await api.session();
      setServer(found.grpcPort, found.needed);
      setSession(found);
      setTrouble("");
    } catch (error) {
      setTrouble(error instanceof Problem ? error.message : String(error));
      window.setTimeout(() => void look(), RETRY);
    }
  }
  useEffect(() => {
    whenSignedOut(() => void look());
    void look();
  }, []);
  return [session, trouble, () => void look()];
}

function View({ path, session }: { path: string; session: Session }) {
  const job = /^\/jobs\/([^/]+)$/.exec(path);
  if (job?.[1]) return <JobView key={job[1]} id={decodeURIComponent(job[1])} />;
  if (path.startsWith("/write")) return <WriteView />;
  if (path.startsWith("/server")) return <ServerView session={session} />;
  return <JobsView />;
}

function Header({ path, session, look }: { path: string; session: Session | undefined; look: () => void }) {
  const places = [
    ["/", "Jobs", path === "/" || path.startsWith("/jobs")],
    ["/write", "Write", path.startsWith("/write")],
    ["/server", "Server", path.startsWith("/server")],
  ] as const;
  async function signOut(): Promise<void> {
    await api.signOut();
    forgetAll();
    look();
  }
  return (
    <header class="top">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Link to="/" class="brand">
        <img src="/page/icon.svg" alt="" width={24} height={24} />
        BasicAer
      </Link>
      {session?.signedIn && (
        <nav aria-label="Views">
          {places.map(([to, name, current]) => (
            <Link key={to} to={to} current={current}>
              {name}
            </Link>
          ))}
        </nav>
      )}
      {session?.needed && session.signedIn && (
        <div class="who">
          <span class="principal">{session.principal.replace(/^\w+:/, "")}</span>
          <button type="button" class="quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      )}
    </header>
  );
}

function Page() {
  const path = usePath();
  const [session, trouble, look] = useSession();
  return (
    <>
      <Header path={path} session={session} look={look} />
      <main id="main" tabIndex={-1}>
        {trouble && <Notice kind="bad">{trouble} Trying again …</Notice>}
        {session && !session.signedIn && <SignIn onDone={look} />}
        {session?.signedIn && <View path={path} session={session} />}
      </main>
    </>
  );
}

const root = document.getElementById("page");
if (root) {
  root.textContent = "";
  render(<Page />, root);
}
