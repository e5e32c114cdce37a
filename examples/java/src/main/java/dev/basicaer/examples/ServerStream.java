package dev.basicaer.examples;

import io.grpc.Context;
import java.util.Iterator;
import java.util.function.Supplier;

/** A blocking stream of the server's that can be left before its end. */
final class ServerStream<M> implements Iterator<M>, AutoCloseable {
  private final Context.CancellableContext call = Context.current().withCancellation();
  private final Iterator<M> messages;

  ServerStream(Supplier<Iterator<M>> begin) {
    Context outer = call.attach();
    try {
      messages = begin.get();
    } finally {
      call.detach(outer);
    }
  }

  @Override
  public boolean hasNext() {
    return messages.hasNext();
  }

  @Override
  public M next() {
    return messages.next();
  }

  @Override
  public void close() {
    call.cancel(null);
  }
}
