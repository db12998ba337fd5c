#include <set>

#include "base/text.h"
#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using event::RedactionKey;
using event::RedactionKind;
using event::RedactionPattern;
using event::RedactionPolicy;
using event::Redactor;
using event::TextKind;

Shape<std::string> rule_name() {
  return text("the name of a rule: a-z, 0-9 and _, a letter first",
              {.max_bytes = Redactor::kMaxRuleName, .pattern = "^[a-z][a-z0-9_]*$"});
}

Shape<RedactionKind> kind() {
  return choice<RedactionKind>(
      {{"secret", RedactionKind::kSecret}, {"personal", RedactionKind::kPersonal}});
}

/// A rule is right when a policy of it alone is.
void check_rule(const RedactionPolicy& policy, const json::Value& value, Problems& problems) {
  const auto made = Redactor::make(policy);
  if (!made) problems.add(value.position, made.error().message);
}

Shape<RedactionKey> key_rule() {
  return object<RedactionKey>(
      "a rule",
      {key<RedactionKey>("name", &RedactionKey::name, rule_name(), "stands in the mask",
                         {.required = true}),
       key<RedactionKey>("key", &RedactionKey::key, text("a word, or a path of keys with dots"),
                         "whose value is masked: `badge`, or `customer.address.*`",
                         {.required = true}),
       key<RedactionKey>("kind", &RedactionKey::kind, kind(),
                         "`personal` is masked in `personal_in` only")},
      {.check = [](const RedactionKey& rule, const json::Value& value, Problems& problems) {
        check_rule({.keys = {rule}}, value, problems);
      }});
}

Shape<std::size_t> length() {
  return converted<std::size_t, std::int64_t>(
      whole_number(1, static_cast<std::int64_t>(Redactor::kMaxPatternLength)),
      [](const std::int64_t& number) { return std::optional(static_cast<std::size_t>(number)); },
      [](const std::size_t& number) { return static_cast<std::int64_t>(number); });
}

Shape<RedactionPattern> pattern_rule() {
  return object<RedactionPattern>(
      "a rule",
      {key<RedactionPattern>("name", &RedactionPattern::name, rule_name(), "stands in the mask",
                             {.required = true}),
       key<RedactionPattern>("prefix", &RedactionPattern::prefix,
                             text("2 to 64 characters", {.max_bytes = 64}),
                             "how what is masked begins", {.required = true}),
       key<RedactionPattern>(
           "alphabet", &RedactionPattern::alphabet, text("characters as in [A-Za-z0-9_-]"),
           "what follows the prefix, as in brackets of a regular expression", {.required = true}),
       key<RedactionPattern>("min_length", &RedactionPattern::min_length, length(),
                             "so many of them at least"),
       key<RedactionPattern>("max_length", &RedactionPattern::max_length, length(), "and at most"),
       key<RedactionPattern>("kind", &RedactionPattern::kind, kind(),
                             "`personal` is masked in `personal_in` only")},
      {.check = [](const RedactionPattern& rule, const json::Value& value, Problems& problems) {
        check_rule({.patterns = {rule}}, value, problems);
      }});
}

/// Complains of names in `enable` or `disable` that no rule has.
void check_names(const json::Value& section, const char* list, const Redactor& redactor,
                 Problems& problems) {
  const auto* names = section.object()->find(list);
  if (names == nullptr || names->array() == nullptr) return;
  std::vector<std::string> known;
  for (const auto& rule : redactor.rules()) known.push_back(rule.name);
  for (const auto& name : *names->array()) {
    if (std::find(known.begin(), known.end(), *name.string()) != known.end()) continue;
    problems.add(name.position, "there is no redaction rule '" + *name.string() + "'" +
                                    text::did_you_mean(*name.string(), known));
  }
}

void check_redaction(const Redaction& redaction, const json::Value& section, Problems& problems) {
  const auto& policy = redaction.policy;
  const auto redactor = Redactor::make({.keys = policy.keys, .patterns = policy.patterns});
  if (!redactor) return problems.add(section.position, redactor.error().message);
  const auto known = problems.size();
  check_names(section, "enable", *redactor, problems);
  check_names(section, "disable", *redactor, problems);
  if (problems.size() == known) check_rule(policy, section, problems);
  if (!redaction.pseudonym_key_env.empty() && !redaction.pseudonym_key_file.empty()) {
    problems.add(position_of(section, "pseudonym_key_file"),
                 "there is 'pseudonym_key_env' already: the key comes from one of the two");
  }
}

}  // namespace

Shape<Redaction> redaction_shape() {
  const auto of_policy = [](auto member) {
    return [member](auto& redaction) -> auto& { return redaction.policy.*member; };
  };
  constexpr std::size_t kMaxNames = 256;
  const auto texts = choice<TextKind>({{"field", TextKind::kField},
                                       {"node_input", TextKind::kNodeInput},
                                       {"node_output", TextKind::kNodeOutput},
                                       {"message", TextKind::kMessage}});
  return object<Redaction>(
      "what is masked",
      {key<Redaction>("enable", of_policy(&RedactionPolicy::enable),
                      list("rules", rule_name(), {.max_items = kMaxNames}),
                      "rules that are off by themselves"),
       key<Redaction>("disable", of_policy(&RedactionPolicy::disable),
                      list("rules", rule_name(), {.max_items = kMaxNames}),
                      "rules that are on by themselves"),
       key<Redaction>("personal_in", of_policy(&RedactionPolicy::personal_in),
                      list("texts: field, node_input, node_output, message", texts,
                           {.max_items = event::kTextKindCount}),
                      "where personal data is masked; secrets are everywhere"),
       key<Redaction>("keys", of_policy(&RedactionPolicy::keys),
                      list("rules", key_rule(), {.max_items = Redactor::kMaxKeys}),
                      "rules of your own: the whole value of a key"),
       key<Redaction>("patterns", of_policy(&RedactionPolicy::patterns),
                      list("rules", pattern_rule(), {.max_items = Redactor::kMaxPatterns}),
                      "rules of your own: words that look alike"),
       key<Redaction>("pseudonym_key_env", &Redaction::pseudonym_key_env, variable_shape(),
                      "the variable that holds the key of pseudonyms, 16 bytes or more"),
       key<Redaction>("pseudonym_key_file", &Redaction::pseudonym_key_file, path("a path"),
                      "or the file that does")},
      {.check = check_redaction});
}

}  // namespace weir::config
