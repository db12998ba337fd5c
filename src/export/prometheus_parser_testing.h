#pragma once

#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

/// For tests: a strict reader of Prometheus's text format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats), with the conventions on top: HELP and
/// TYPE of every family once and before its samples, which stand together; counters end in
/// `_total`.
namespace weir::exporting::testing_support {

struct Exposition {
  std::map<std::string, double> values;  ///< by series as written
  std::vector<std::string> problems;
};

class ExpositionParser {
 public:
  Exposition parse(const std::string& text) {
    if (text.empty() || text.back() != '\n') problem("it does not end with a line break");
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      line_ = text.substr(begin, end - begin);
      take_line();
      begin = end + 1;
    }
    return result_;
  }

 private:
  void problem(const std::string& what) { result_.problems.push_back(what + ": " + line_); }

  void take_line() {
    static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    static const std::regex type(
        "# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary|histogram|untyped)");
    std::smatch match;
    if (std::regex_match(line_, match, help)) {
      name_ = match[1];
      type_.clear();
      if (!families_.insert(name_).second) problem("a second HELP");
    } else if (std::regex_match(line_, match, type)) {
      if (match[1] != name_ || !type_.empty()) problem("TYPE without its HELP");
      type_ = match[2];
      if (type_ == "counter" && !name_.ends_with("_total")) problem("a counter's name");
    } else {
      take_sample();
    }
  }

  void take_sample() {
    static const std::string label = R"re([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")re";
    static const std::regex sample(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)" + label + "(?:," + label +
                                   R"()*\})? (\S+))");
    std::smatch match;
    if (!std::regex_match(line_, match, sample)) return problem("not a sample");
    const std::string name = match[1], number = match[3];
    const bool is_part = type_ == "summary" && (name == name_ + "_sum" || name == name_ + "_count");
    if (type_.empty() || (type_ != "summary" && name != name_) ||
        (type_ == "summary" && !is_part)) {
      problem("not of the family above it");
    }
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (*end != '\0') problem("not a number");
    if (type_ == "counter" && !(value >= 0)) problem("a counter below 0");
    if (!result_.values.emplace(match[1].str() + match[2].str(), value).second) {
      problem("a series twice");
    }
  }

  Exposition result_;
  std::set<std::string> families_;
  std::string line_, name_, type_;
};

[[nodiscard]] inline Exposition parse_exposition(const std::string& text) {
  return ExpositionParser().parse(text);
}

}  // namespace weir::exporting::testing_support
