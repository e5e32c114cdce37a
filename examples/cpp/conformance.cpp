// Puts the C++ client behind the protocol of tests/conformance/README.md: one JSON object a line, in and out.

#include <google/protobuf/util/json_util.h>
#include <grpcpp/support/status.h>

#include <exception>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <variant>

#include "client.h"
#include "outputs.h"

namespace {

using google::protobuf::Message;
using nlohmann::json;
namespace v1 = basicaer::v1;

std::string to_hex(const std::string& data) {
  std::string text;
  for (const unsigned char byte : data) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string from_hex(const std::string& text) {
  std::string data;
  for (std::size_t index = 0; index < text.size(); index += 2) {
    data += static_cast<char>(std::stoi(text.substr(index, 2), nullptr, 16));
  }
  return data;
}

std::unique_ptr<Message> new_message(const std::string& name) {
  const auto* kind = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("basicaer.v1." + name);
  if (kind == nullptr) throw std::invalid_argument("there is no message " + name);
  return std::unique_ptr<Message>{google::protobuf::MessageFactory::generated_factory()->GetPrototype(kind)->New()};
}

void fill(Message& message, const json& value) {
  const auto status = google::protobuf::util::JsonStringToMessage(value.dump(), &message);
  if (!status.ok()) throw std::invalid_argument(status.ToString());
}

json encode(const json& asked) {
  const auto message = new_message(asked.at("message"));
  fill(*message, asked.at("json"));
  return {{"hex", to_hex(message->SerializeAsString())}};
}

json decode(const json& asked) {
  const auto message = new_message(asked.at("message"));
  if (!message->ParseFromString(from_hex(asked.at("hex")))) throw std::invalid_argument("these are no such bytes");
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &text);
  if (!status.ok()) throw std::invalid_argument(status.ToString());
  return {{"json", json::parse(text)}};
}

json submit(basicaer::Client& client, const json& asked) {
  v1::JobSpec spec;
  fill(spec, asked.at("spec"));
  return {{"job_id", client.submit(spec, asked.value("request_id", "")).job_id()}};
}

json watch(basicaer::Client& client, const json& asked) {
  auto events = json::array();
  const std::string until = asked.value("until", "");
  client.watch(asked.at("job_id"), asked.value("after_sequence", std::uint64_t{0}), [&](const v1::Event& event) {
    if (!event.has_status()) return true;
    constexpr std::size_t kPrefix = std::char_traits<char>::length("JOB_STATUS_");
    const auto name = v1::JobStatus_Name(event.status().status()).substr(kPrefix);
    events.push_back({{"sequence", event.sequence()}, {"status", name}});
    return name != until;
  });
  return {{"events", events}};
}

json counts(basicaer::Client& client, const json& asked) {
  auto programs = json::array();
  const auto result = client.result(asked.at("job_id"));
  for (const auto& program : result.programs()) programs.push_back(json(basicaer::counts(program)));
  return {{"counts", programs}};
}

// A value as the protocol has it: integers as text, which JSON's numbers don't hold.
json plain(const basicaer::Value& value) {
  return std::visit(
      [](const auto& content) -> json {
        using Content = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<Content, std::vector<basicaer::Value>>) {
          auto elements = json::array();
          for (const auto& element : content) elements.push_back(plain(element));
          return elements;
        } else if constexpr (std::is_same_v<Content, std::complex<double>>) {
          return {content.real(), content.imag()};
        } else if constexpr (std::is_same_v<Content, std::int64_t> || std::is_same_v<Content, std::uint64_t>) {
          return std::to_string(content);
        } else {
          return content;
        }
      },
      value.content);
}

json outputs(basicaer::Client& client, const json& asked) {
  auto programs = json::array();
  const auto result = client.result(asked.at("job_id"));
  for (const auto& program : result.programs()) {
    auto seen = json::array();
    for (const auto& outcome : basicaer::outputs(program)) {
      auto values = json::object();
      for (const auto& [name, value] : outcome.values) values[name] = plain(value);
      seen.push_back({{"values", values}, {"count", outcome.count}});
    }
    programs.push_back(seen);
  }
  return {{"outputs", programs}};
}

json methods(basicaer::Client& client, const json& asked) {
  auto programs = json::array();
  constexpr std::size_t kPrefix = std::char_traits<char>::length("SIMULATION_METHOD_");
  const auto result = client.result(asked.at("job_id"));
  for (const auto& program : result.programs()) {
    const auto name = v1::SimulationMethod_Name(program.simulation_method()).substr(kPrefix);
    programs.push_back({{"method", name}, {"reason", program.reason()}});
  }
  return {{"methods", programs}};
}

json state(basicaer::Client& client, const json& asked) {
  const auto amplitudes = client.state(asked.at("job_id"), asked.at("part"));
  auto chosen = json::array();
  for (const std::size_t index : asked.at("at")) {
    chosen.push_back({amplitudes.at(index).real(), amplitudes.at(index).imag()});
  }
  return {{"shape", {amplitudes.size()}}, {"amplitudes", chosen}};
}

json cancel(basicaer::Client& client, const json& asked) {
  const auto job = client.cancel(asked.at("job_id"), asked.value("reason", ""));
  const bool other = job.status() == v1::JOB_STATUS_DONE || job.status() == v1::JOB_STATUS_ERROR;
  return {{"cancelled", job.cancel_requested() && !other}};
}

std::string name_of(grpc::StatusCode code) {
  constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[code];
}

json answer(basicaer::Client& client, const json& asked) {
  const std::string op = asked.at("op");
  if (op == "encode") return encode(asked);
  if (op == "decode") return decode(asked);
  if (op == "submit") return submit(client, asked);
  if (op == "watch") return watch(client, asked);
  if (op == "counts") return counts(client, asked);
  if (op == "outputs") return outputs(client, asked);
  if (op == "methods") return methods(client, asked);
  if (op == "state") return state(client, asked);
  if (op == "cancel") return cancel(client, asked);
  throw std::invalid_argument("there is no operation " + op);
}

json failure(const basicaer::RpcError& error) {
  const auto info = error.info().value_or(google::rpc::ErrorInfo{});
  auto metadata = json::object();
  for (const auto& [key, value] : info.metadata()) metadata[key] = value;
  return {{"code", name_of(error.status.error_code())},
          {"reason", info.reason()},
          {"metadata", metadata},
          {"message", error.what()}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: conformance HOST:PORT\n";
    return 2;
  }
  basicaer::Client client{argv[1]};
  for (std::string line; std::getline(std::cin, line);) {
    json reply;
    try {
      reply = answer(client, json::parse(line));
    } catch (const basicaer::RpcError& error) {
      reply = {{"error", failure(error)}};
    } catch (const std::exception& error) {
      reply = {{"error", {{"message", error.what()}}}};
    }
    std::cout << reply.dump() << std::endl;
  }
}
