#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/person.h"
#include "cli/settings.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "config/units.h"
#include "record/recorder.h"
#include "server/keys.h"

namespace weir::cli {
namespace {

struct KeyOptions {
  std::string name;
  std::vector<std::string> scopes;
  std::string tenant;
  std::string expires;
  std::int64_t rate = 0;
  bool json = false;
};

std::string_view state_of(const server::Key& key, Timestamp now) {
  if (key.revoked_at) return "revoked";
  return key.is_valid(now) ? "good" : "expired";
}

json::Object to_json(const server::Key& key) {
  const auto time = [](const std::optional<Timestamp>& at) {
    return at ? json::Value(to_string(*at)) : json::Value();
  };
  json::Object object;
  object.set("id", key.id);
  object.set("name", key.name);
  object.set("tenant_id", key.tenant_id.empty() ? json::Value() : json::Value(key.tenant_id));
  object.set("scopes", server::scopes_text(key.scopes));
  object.set("state", state_of(key, system_clock().now()));
  object.set("created_at", to_string(key.created_at));
  object.set("expires_at", time(key.expires_at));
  object.set("revoked_at", time(key.revoked_at));
  object.set("requests_per_second", static_cast<std::int64_t>(key.requests_per_second));
  return object;
}

/// Who did what to which key: the log says it, without the key.
Result<void> audit(std::string_view operation, const server::Key& key, const Invocation& invocation,
                   const log::StoreDirectory& store) {
  const auto settings = load_settings(invocation);
  if (!settings) return fail(ErrorCode::kInvalidInput, "the configuration is wrong");
  WEIR_TRY(auto options, recorder_options(*settings));
  record::Recorder recorder(store, std::move(options));
  json::Object attributes;
  attributes.set("key", key.id);
  attributes.set("name", key.name);
  attributes.set("scopes", server::scopes_text(key.scopes));
  const auto text = json::to_text(attributes);
  const auto who = person();
  const event::FieldValue fields[] = {{event::Field::kActorId, std::string_view(who)},
                                      {event::Field::kOperation, operation},
                                      {event::Field::kAttributes, event::ObjectText{text}}};
  auto& runs = recorder.process_runs();
  WEIR_TRY(runs.emit(record::Retention::kAudit, key.tenant_id, event::Type::kAudit,
                     event::Level::kInfo, fields));
  return runs.flush();
}

Result<server::KeyRequest> request_of(const KeyOptions& options) {
  server::KeyRequest request{.name = options.name,
                             .tenant_id = options.tenant,
                             .scopes = 0,
                             .requests_per_second = static_cast<std::uint64_t>(options.rate)};
  for (const auto& word : options.scopes) {
    const auto scope = server::scope_of(word);
    if (!scope) return fail(ErrorCode::kInvalidInput, "--scope: there is no '" + word + "'");
    request.scopes =
        static_cast<server::Scopes>(request.scopes | static_cast<server::Scopes>(*scope));
  }
  if (!options.expires.empty()) {
    const auto after = config::parse_duration(options.expires);
    if (!after || after->count() <= 0) {
      return fail(ErrorCode::kInvalidInput,
                  "--expires: a duration as 90d or 12h is expected, not '" + options.expires + "'");
    }
    request.expires_at = system_clock().now() + *after;
  }
  return request;
}

int create(const KeyOptions& options, const Invocation& invocation) {
  const auto request = request_of(options);
  if (!request) {
    static_cast<void>(complain(request.error()));
    return kWrongUsage;
  }
  const auto store = invocation.create_store();
  if (!store) return complain(store.error());
  const auto made = server::Keys(*store).create(*request, system_clock().now());
  if (!made) return complain(made.error());
  if (const auto said = audit("key.create", made->key, invocation, *store); !said) {
    // A key that nobody was told of is no key.
    static_cast<void>(server::Keys(*store).revoke(made->key.id, system_clock().now()));
    return complain(said.error());
  }
  if (options.json) {
    auto object = to_json(made->key);
    object.set("key", made->text);
    std::printf("%s\n", json::to_pretty_text(object).c_str());
    return kDone;
  }
  std::printf("%s\n", made->text.c_str());
  std::fprintf(stderr,
               "weir: key %s '%s' for %s: it is shown this once; send it as\n"
               "      Authorization: Bearer KEY\n",
               made->key.id.c_str(), text::printable(made->key.name).c_str(),
               server::scopes_text(made->key.scopes).c_str());
  return kDone;
}

int list(const KeyOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto keys = server::Keys(*store).list();
  if (!keys) return complain(keys.error());
  if (options.json) {
    json::Array all;
    for (const auto& key : *keys) all.emplace_back(to_json(key));
    std::printf("%s\n", json::to_pretty_text(all).c_str());
    return kDone;
  }
  Table table({"KEY", "NAME", "TENANT", "SCOPES", "STATE", "CREATED (UTC)", "EXPIRES (UTC)"});
  const auto now = system_clock().now();
  for (const auto& key : *keys) {
    table.add({key.id, text::printable(key.name), text::printable(key.tenant_id),
               server::scopes_text(key.scopes), std::string(state_of(key, now)),
               to_string(key.created_at).substr(0, 19),
               key.expires_at ? to_string(*key.expires_at).substr(0, 19) : ""});
  }
  table.print(stdout);
  return kDone;
}

int revoke(const KeyOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto key = server::Keys(*store).revoke(options.name, system_clock().now());
  if (!key) return complain(key.error());
  std::printf("key %s '%s' is revoked\n", key->id.c_str(), text::printable(key->name).c_str());
  const auto said = audit("key.revoke", *key, invocation, *store);
  return said ? kDone : complain(said.error());
}

void add_create(CLI::App& key, Invocation& invocation, const std::shared_ptr<KeyOptions>& options) {
  auto* command = key.add_subcommand("create", "Make a key, and print it: this once");
  command->add_option("name", options->name, "Whose or what it is for")->required();
  expect_word(command->add_option("--scope", options->scopes,
                                  "What it is good for; may be given more than once"),
              {"read", "write", "operate", "admin"});
  command->get_option("--scope")->required();
  command->add_option(
      "--tenant", options->tenant,
      "Whose data it is good for (default: everybody's to read, nobody's to write)");
  command->add_option("--expires", options->expires, "After so long, as 90d (default: never)");
  constexpr std::int64_t kMostRate = 1'000'000;
  expect_number(
      command->add_option("--rate", options->rate, "Requests a second (default: any number)"), 1,
      kMostRate);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: weir key create ci --scope write --tenant acme");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return create(*options, invocation); };
  });
}

}  // namespace

void add_key(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<KeyOptions>();
  auto* command = app.add_subcommand("key", "Make, list and revoke the keys of the server");
  command->require_subcommand(1);
  add_create(*command, invocation, options);
  auto* list_command = command->add_subcommand("list", "List them, those that are revoked, too");
  list_command->add_flag("--json", options->json, "Print JSON");
  list_command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return list(*options, invocation); };
  });
  auto* revoke_command =
      command->add_subcommand("revoke", "Let a key be good for nothing any more");
  revoke_command->add_option("key", options->name, "Its id, or its name")->required();
  revoke_command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return revoke(*options, invocation); };
  });
}

}  // namespace weir::cli
