package dev.basicaer.examples;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorInfo;
import dev.basicaer.v1.Event;
import dev.basicaer.v1.Job;
import dev.basicaer.v1.JobSpec;
import dev.basicaer.v1.JobStatus;
import dev.basicaer.v1.ProgramResult;
import io.grpc.StatusRuntimeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts the Java client behind the protocol of {@code tests/conformance/README.md}: one JSON object
 * a line, in and out.
 */
public final class Conformance {
  private static final Gson GSON = new Gson();

  private final BasicAerClient client;

  private Conformance(BasicAerClient client) {
    this.client = client;
  }

  /** Takes the server's HOST:PORT. */
  public static void main(String[] arguments) throws IOException {
    try (BasicAerClient client = new BasicAerClient(arguments[0]);
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      Conformance runner = new Conformance(client);
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        System.out.println(
            GSON.toJson(runner.reply(JsonParser.parseString(line).getAsJsonObject())));
      }
    }
  }

  private Object reply(JsonObject request) throws InvalidProtocolBufferException {
    try {
      return answer(request);
    } catch (StatusRuntimeException error) {
      ErrorInfo info = BasicAerClient.errorInfo(error).orElse(ErrorInfo.getDefaultInstance());
      return Map.of(
          "error",
          Map.of(
              "code", error.getStatus().getCode().name(),
              "reason", info.getReason(),
              "metadata", info.getMetadataMap(),
              "message", error.getMessage()));
    }
  }

  private Object answer(JsonObject request) throws InvalidProtocolBufferException {
    String operation = request.get("op").getAsString();
    return switch (operation) {
      case "encode" -> {
        Message message = parse(builder(request), request.get("json"));
        yield Map.of("hex", HexFormat.of().formatHex(message.toByteArray()));
      }
      case "decode" -> {
        byte[] bytes = HexFormat.of().parseHex(text(request, "hex"));
        String json = JsonFormat.printer().print(builder(request).mergeFrom(bytes).build());
        yield Map.of("json", JsonParser.parseString(json));
      }
      case "submit" -> Map.of("job_id", submit(request).getJobId());
      case "watch" -> Map.of("events", watch(request));
      case "counts" -> {
        var programs = client.result(text(request, "job_id")).getProgramsList();
        yield Map.of("counts", programs.stream().map(BasicAerClient::counts).toList());
      }
      case "outputs" -> {
        var programs = client.result(text(request, "job_id")).getProgramsList();
        yield Map.of("outputs", programs.stream().map(Conformance::outputs).toList());
      }
      case "methods" -> {
        var programs = client.result(text(request, "job_id")).getProgramsList();
        yield Map.of("methods", programs.stream().map(Conformance::method).toList());
      }
      case "state" -> state(request);
      case "cancel" -> {
        Job job = client.cancel(text(request, "job_id"), text(request, "reason"));
        boolean otherwise =
            job.getStatus() == JobStatus.JOB_STATUS_DONE
                || job.getStatus() == JobStatus.JOB_STATUS_ERROR;
        yield Map.of("cancelled", job.getCancelRequested() && !otherwise);
      }
      default -> throw new IllegalArgumentException("there is no operation " + operation);
    };
  }

  private Job submit(JsonObject request) throws InvalidProtocolBufferException {
    JobSpec spec = (JobSpec) parse(JobSpec.newBuilder(), request.get("spec"));
    return request.has("request_id")
        ? client.submit(spec, text(request, "request_id"))
        : client.submit(spec);
  }

  private List<Map<String, Object>> watch(JsonObject request) {
    List<Map<String, Object>> events = new ArrayList<>();
    long after = request.has("after_sequence") ? request.get("after_sequence").getAsLong() : 0;
    try (Watch watch = client.watch(text(request, "job_id"), after)) {
      for (Optional<Event> event = watch.next(); event.isPresent(); event = watch.next()) {
        if (!event.get().hasStatus()) {
          continue;
        }
        String status =
            event.get().getStatus().getStatus().name().substring("JOB_STATUS_".length());
        events.add(Map.of("sequence", event.get().getSequence(), "status", status));
        if (status.equals(text(request, "until"))) {
          break;
        }
      }
    }
    return events;
  }

  private static Map<String, String> method(ProgramResult program) {
    String name = program.getSimulationMethod().name().substring("SIMULATION_METHOD_".length());
    return Map.of("method", name, "reason", program.getReason());
  }

  private static List<Map<String, Object>> outputs(ProgramResult program) {
    List<Map<String, Object>> seen = new ArrayList<>();
    for (Outputs.Outcome outcome : Outputs.of(program)) {
      outcome.values().replaceAll((name, value) -> plain(value));
      seen.add(Map.of("values", outcome.values(), "count", outcome.count()));
    }
    return seen;
  }

  /** A value as the protocol has it: integers as text, which JSON's numbers don't hold. */
  private static Object plain(Object value) {
    if (value instanceof List<?> elements) {
      return elements.stream().map(Conformance::plain).toList();
    }
    return value instanceof BigInteger ? value.toString() : value;
  }

  private Map<String, Object> state(JsonObject request) {
    ComplexArray state = client.state(text(request, "job_id"), text(request, "part"));
    List<double[]> chosen = new ArrayList<>();
    for (JsonElement at : request.getAsJsonArray("at")) {
      chosen.add(new double[] {state.real()[at.getAsInt()], state.imaginary()[at.getAsInt()]});
    }
    return Map.of("shape", List.of(state.length()), "amplitudes", chosen);
  }

  private static String text(JsonObject request, String name) {
    return request.has(name) ? request.get(name).getAsString() : "";
  }

  private static Message.Builder builder(JsonObject request) {
    String name = "dev.basicaer.v1." + text(request, "message");
    try {
      return (Message.Builder) Class.forName(name).getMethod("newBuilder").invoke(null);
    } catch (ReflectiveOperationException error) {
      throw new IllegalArgumentException("there is no message " + name, error);
    }
  }

  private static Message parse(Message.Builder builder, JsonElement json)
      throws InvalidProtocolBufferException {
    JsonFormat.parser().merge(json.toString(), builder);
    return builder.build();
  }
}
