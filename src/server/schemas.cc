#include "server/schemas.h"

#include <string>
#include <string_view>

#include "event/catalogue.h"

namespace weir::server {
namespace {

struct Named {
  std::string_view name;
  std::string_view schema;
};

/// Those that no table of ours knows.
constexpr Named kSchemas[] = {
    {"Problem", R"({"type":"object","description":"RFC 9457","required":["type","title","status"],
        "properties":{"type":{"type":"string"},"title":{"type":"string"},"detail":{"type":"string"},
          "status":{"type":"integer"}}})"},
    {"RpcStatus",
     R"({"type":"object","description":"google.rpc.Status","required":["code","message"],
        "properties":{"code":{"type":"integer"},"message":{"type":"string"}}})"},
    {"Health", R"({"type":"object","required":["status"],"properties":{"status":{"const":"ok"}}})"},
    {"OpenApi", R"({"type":"object","required":["openapi","info","paths"],"properties":
        {"openapi":{"type":"string"},"info":{"type":"object"},"paths":{"type":"object"},
         "components":{"type":"object"}}})"},
    {"EventsAsked", R"({"description":"an event, a list of them, or one a line","anyOf":[
        {"$ref":"#/components/schemas/GivenEvent"},
        {"type":"array","items":{"$ref":"#/components/schemas/GivenEvent"}}]})"},
    {"Receipt",
     R"({"type":"object","required":["stored","duplicates","rejected","errors","rejected_indices"],
        "properties":{"stored":{"type":"integer","minimum":0},"duplicates":{"type":"integer","minimum":0},
          "rejected":{"type":"integer","minimum":0},"errors":{"type":"array","items":{"type":"object",
            "required":["index","reason"],"properties":{"index":{"type":"integer"},
              "reason":{"type":"string"}}}},
          "rejected_indices":{"$ref":"#/components/schemas/Places"}}})"},
    {"Places",
     R"({"type":"array","description":"from the first to the last of those that follow each other",
        "items":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2}})"},
    {"LineageAsked", R"({"description":"an OpenLineage event, or a list of them","anyOf":[
        {"$ref":"#/components/schemas/LineageEvent"},
        {"type":"array","items":{"$ref":"#/components/schemas/LineageEvent"}}]})"},
    {"LineageEvent", R"({"type":"object","required":["eventTime"],"properties":
        {"eventTime":{"type":"string"},"eventType":{"type":"string"},"producer":{"type":"string"},
         "schemaURL":{"type":"string"},"run":{"type":"object"},"job":{"type":"object"},
         "inputs":{"type":"array"},"outputs":{"type":"array"}}})"},
    {"LineageReceipt", R"({"type":"object","required":["status","summary","failed_events"],
        "properties":{"status":{"enum":["success","partial_success","failure"]},
          "rejected_indices":{"$ref":"#/components/schemas/Places"},
          "summary":{"type":"object","required":["received","successful","failed","retriable","non_retriable"],
            "properties":{"received":{"type":"integer"},"successful":{"type":"integer"},
              "failed":{"type":"integer"},"retriable":{"type":"integer"},
              "non_retriable":{"type":"integer"}}},
          "failed_events":{"type":"array","items":{"type":"object","required":["index","reason","retriable"],
            "properties":{"index":{"type":"integer"},"reason":{"type":"string"},
              "retriable":{"type":"boolean"}}}}}})"},
    {"OtlpAsked", R"({"type":"object","description":"an Export…ServiceRequest of OTLP","properties":
        {"resourceSpans":{"type":"array","items":{"type":"object"}},
         "resourceLogs":{"type":"array","items":{"type":"object"}},
         "resourceMetrics":{"type":"array","items":{"type":"object"}}}})"},
    {"OtlpReceipt",
     R"({"type":"object","description":"an Export…ServiceResponse of OTLP","properties":
        {"partialSuccess":{"type":"object","properties":{"rejectedSpans":{"type":"string"},
          "rejectedLogRecords":{"type":"string"},"rejectedDataPoints":{"type":"string"},
          "errorMessage":{"type":"string"}}}}})"},
    {"RunAsked", R"({"type":"object","additionalProperties":false,"properties":
        {"input":{"type":["object","null"]},"params":{"type":["object","null"]},
         "execution_mode":{"type":["string","null"]}}})"},
    {"RunBegun", R"({"type":"object","required":["run_id"],"properties":{"run_id":
        {"type":"string","format":"uuid"}}})"},
    {"ResumeAsked", R"({"type":"object","description":"nothing but {}"})"},
    {"SignalAsked",
     R"({"type":"object","required":["type"],"additionalProperties":false,"properties":
        {"type":{"type":"string"},"node_id":{"type":["string","null"]},"reason":{"type":["string","null"]},
         "signal_id":{"type":["string","null"]},"payload":{"type":["object","null"]},
         "wait_seconds":{"type":"integer","minimum":0,"maximum":60}}})"},
    {"SignalVerdict",
     R"({"type":"object","required":["run_id","signal_id","signal_type","decision","code","reason"],
        "properties":{"run_id":{"type":"string"},"signal_id":{"type":"string"},
          "signal_type":{"type":"string"},"decision":{"enum":["accepted","deferred","rejected","unanswered"]},
          "code":{"type":["string","null"]},"reason":{"type":["string","null"]}}})"},
    {"CommandAsked",
     R"({"type":"object","required":["words"],"additionalProperties":false,"properties":
        {"words":{"type":"array","minItems":1,"items":{"type":"string"}}}})"},
    {"CommandLine",
     R"({"type":"object","description":"one a line","properties":{"out":{"type":"string"},
        "err":{"type":"string"},"exit":{"type":["integer","null"]}}})"},
    {"RunState",
     R"({"type":"object","required":["run_id","pipeline_id","state","started_at","node_count",
          "events","node_states","nodes"],
        "properties":{"run_id":{"type":"string"},"tenant_id":{"type":["string","null"]},
          "pipeline_id":{"type":"string"},"state":{"type":"string"},"started_at":{"type":"string"},
          "duration_ms":{"type":["number","null"]},"node_count":{"type":"integer"},
          "events":{"type":"integer"},"failed_node_id":{"type":["string","null"]},
          "error_type":{"type":["string","null"]},"error_message":{"type":["string","null"]},
          "substatus":{"type":["string","null"]},"doubts":{"type":"array","items":{"type":"string"}},
          "redacted":{"type":"object","additionalProperties":{"type":"integer"}},
          "node_states":{"type":"object","additionalProperties":{"type":"integer"}},
          "nodes":{"type":"array","items":{"$ref":"#/components/schemas/NodeState"}}}})"},
    {"NodeState", R"({"type":"object","required":["node_id","tool","step_index","state","attempts"],
        "properties":{"node_id":{"type":"string"},"tool":{"type":"string"},"step_index":{"type":"integer"},
          "state":{"type":"string"},"attempts":{"type":"integer"},
          "starts_after_ms":{"type":["number","null"]},"duration_ms":{"type":["number","null"]},
          "predecessor_node_ids":{"type":"array","items":{"type":"string"}},
          "error_type":{"type":"string"},"error_message":{"type":"string"},
          "cpu_ms":{"type":"number"},"memory_bytes":{"type":"integer"},"read_bytes":{"type":"integer"},
          "written_bytes":{"type":"integer"},"rows":{"type":"integer"},"cache_hit":{"type":"boolean"},
          "undo":{"type":"string"},"reason":{"type":"string"},"log_lines":{"type":"integer"},
          "last_log_lines":{"type":"array","items":{"type":"string"}}}})"},
    {"Comparison",
     R"({"type":"object","required":["same","a","b","settings","outcome","graph","duration","nodes"],
        "properties":{"same":{"type":"boolean"},"a":{"$ref":"#/components/schemas/ComparedRun"},
          "b":{"$ref":"#/components/schemas/ComparedRun"},"first_difference":{"type":["object","null"]},
          "settings":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},
          "outcome":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},
          "graph":{"type":"object"},"duration":{"type":"object"},
          "nodes":{"type":"array","items":{"type":"object","required":["node_id","differs"],
            "properties":{"node_id":{"type":"string"},"differs":{"type":"boolean"}}}}}})"},
    {"ComparedRun", R"({"type":"object","required":["run_id","pipeline_id","state"],"properties":
        {"run_id":{"type":"string"},"pipeline_id":{"type":"string"},"state":{"type":"string"},
         "started_at":{"type":"string"},"duration_ms":{"type":["number","null"]}}})"},
    {"Change",
     R"({"type":"object","required":["what","a","b"],"properties":{"what":{"type":"string"},
        "a":{"type":["string","null"]},"b":{"type":["string","null"]}}})"},
    {"Report",
     R"({"type":"object","description":"as `weir report --format json` prints it: each kind its own",
        "properties":{"report":{"type":"string"},"window":{"type":"object"}}})"},
    {"Status",
     R"({"type":"object","required":["at","runs","older_lost_runs","questions","pending_review",
          "notifications","alerts","recent_activity"],
        "properties":{"at":{"type":"string"},"runs":{"type":"array","items":{"type":"object",
            "required":["run_id","pipeline_id","state"]}},
          "older_lost_runs":{"type":"integer"},"questions":{"type":"array","items":{"type":"object"}},
          "pending_review":{"type":"array","items":{"type":"object"}},
          "notifications":{"type":"array","items":{"type":"object"}},
          "alerts":{"type":"array","items":{"type":"object"}},
          "recent_activity":{"type":"array","items":{"type":"object"}}}})"},
    {"Question", R"({"type":"object","required":["query"],"additionalProperties":false,"properties":
        {"query":{"type":"string","minLength":1},"parameters":{"type":"object"},
         "max_rows":{"type":"integer","minimum":1},"timeout":{"type":"string"}}})"},
    {"Answer", R"({"type":"object","required":["columns","rows","is_all","left_out"],"properties":
        {"columns":{"type":"array","items":{"type":"string"}},
         "rows":{"type":"array","items":{"type":"array"}},"is_all":{"type":"boolean"},
         "reason":{"type":"string","description":"why it is not all"},
         "left_out":{"type":"array","items":{"type":"string"}}}})"},
    {"Cookbook",
     R"({"type":"array","items":{"type":"object","required":["name","question","parameters","sql"],
        "properties":{"name":{"type":"string"},"number":{"type":"integer"},"question":{"type":"string"},
          "parameters":{"type":"array","items":{"type":"string"}},"sql":{"type":"string"}}}})"},
};

json::Object type_json(std::string_view type) {
  json::Object schema;
  if (!type.empty()) schema.set("type", type);
  return schema;
}

/// Of a value as `Rows::next` gives it, by its type in DuckDB.
json::Object schema_of_column(std::string_view type) {
  if (type.ends_with("[]")) {
    auto list = type_json("array");
    list.set("items", schema_of_column(type.substr(0, type.size() - 2)));
    return list;
  }
  if (type == "VARCHAR" || type.starts_with("TIMESTAMP")) return type_json("string");
  if (type == "BIGINT" || type == "INTEGER") return type_json("integer");
  if (type == "DOUBLE" || type == "FLOAT") return type_json("number");
  if (type == "BOOLEAN") return type_json("boolean");
  return type_json({});  // JSON: anything
}

json::Object schema_of_field(event::FieldType type) {
  switch (type) {
    case event::FieldType::kInteger:
      return type_json("integer");
    case event::FieldType::kNumber:
      return type_json("number");
    case event::FieldType::kBoolean:
      return type_json("boolean");
    case event::FieldType::kObject:
      return type_json("object");
    case event::FieldType::kStrings: {
      auto list = type_json("array");
      list.set("items", type_json("string"));
      return list;
    }
    case event::FieldType::kString:
    case event::FieldType::kTimestamp:
      break;
  }
  return type_json("string");
}

/// An event as somebody gives it: what it may leave out is filled in, and what is not of the
/// catalogue is kept.
json::Object given_event() {
  json::Object members;
  for (const auto& field : event::fields()) {
    auto schema = schema_of_field(field.type);
    schema.set("description", field.doc);
    members.set(field.name, std::move(schema));
  }
  auto object = type_json("object");
  object.set("required", json::Array{"timestamp", "event_type", "pipeline_id", "run_id"});
  object.set("properties", std::move(members));
  return object;
}

/// A page of a list: "Nodes" of "Node".
json::Object page_of(std::string_view item) {
  json::Object reference;
  reference.set("$ref", "#/components/schemas/" + std::string(item));
  auto items = type_json("array");
  items.set("items", std::move(reference));
  json::Object next;
  next.set("type", json::Array{"string", "null"});
  auto left_out = type_json("array");
  left_out.set("items", type_json("string"));
  json::Object members;
  members.set("next", std::move(next));
  members.set("items", std::move(items));
  members.set("left_out", std::move(left_out));
  auto page = type_json("object");
  page.set("required", json::Array{"next", "items"});
  page.set("properties", std::move(members));
  return page;
}

struct ListOfView {
  std::string_view view;
  std::string_view item;
  std::string_view list;
};
constexpr ListOfView kLists[] = {
    {"runs", "Run", "Runs"},          {"events", "Event", "Events"},
    {"nodes", "Node", "Nodes"},       {"attempts", "Attempt", "Attempts"},
    {"spans", "Span", "Spans"},       {"artifacts", "Artifact", "Artifacts"},
    {"signals", "Signal", "Signals"},
};

}  // namespace

std::string columns_sql() {
  return "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
         "ORDER BY table_name, column_index";
}

json::Object schemas_of(const Table& columns) {
  json::Object schemas;
  for (const auto& [name, text] : kSchemas) {
    auto schema = json::parse(text);
    WEIR_CHECK(schema.has_value());
    schemas.set(name, *std::move(schema));
  }
  schemas.set("GivenEvent", given_event());
  for (const auto& [view, item, list] : kLists) {
    json::Object members;
    for (const auto& row : columns.rows) {
      if (*row[0].string() != view) continue;
      members.set(*row[1].string(), schema_of_column(*row[2].string()));
    }
    auto schema = type_json("object");
    schema.set("description", "a row of `" + std::string(view) + "`, without what is NULL");
    schema.set("properties", std::move(members));
    schemas.set(item, std::move(schema));
    schemas.set(list, page_of(item));
  }
  return schemas;
}

}  // namespace weir::server
