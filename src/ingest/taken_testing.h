#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "event/decoder.h"
#include "ingest/event_lines.h"

namespace weir::ingest {

/// For tests: the masks that a server has when nothing is configured.
inline const event::Redactor& usual_redactor() {
  static const auto made = *event::Redactor::make({});
  return made;
}

/// For tests: the lines without their newlines, each of which is an event of the catalogue.
inline std::vector<std::string> checked_lines(const EventLines& lines) {
  std::vector<std::string> all;
  event::Decoder decoder;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line(lines.line(i));
    EXPECT_TRUE(line.ends_with("}\n"));
    line.pop_back();
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    const auto event = decoder.decode(line);
    EXPECT_TRUE(event) << event.error().message << "\n" << line;
    all.push_back(std::move(line));
  }
  return all;
}

}  // namespace weir::ingest
