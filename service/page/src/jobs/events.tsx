import type { JobEvent } from "../api/types";
import { between, clock, seconds } from "../common/format";
import { Status } from "../common/parts";

/** What happened, the latest last; each with how long after the one before. */
export function Events({ events }: { events: JobEvent[] }) {
  return (
    <section class="card">
      <h2>Events</h2>
      <ol class="events" aria-live="polite">
        {events.map((event, index) => {
          const before = events[index - 1];
          return (
            <li key={event.sequence}>
              <time dateTime={event.time} class="number">
                {clock(event.time)}
              </time>
              {event.status && <Status status={event.status.status} />}
              <span class="muted small number">
                {before ? `+${seconds(between(before.time, event.time))}` : ""}
              </span>
              {Number(event.status?.attempt) > 1 && (
                <span class="muted small">attempt {event.status?.attempt}</span>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
