#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <optional>

#include "base/descriptor.h"
#include "base/id.h"
#include "cli/terminal.h"

namespace weir::cli {
namespace {

/// libedit reads all of it; a larger one is not ours.
constexpr std::uintmax_t kMaxHistoryBytes = std::uintmax_t{16} << 20;
/// More words would not help anybody.
constexpr std::size_t kMaxShownWords = 200;

/// Characters of more than one byte need a locale that has them.
void use_utf8() {
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
    static_cast<void>(std::setlocale(LC_CTYPE, "C.UTF-8"));
  }
}

std::size_t common_prefix(const std::vector<std::string>& words) {
  auto size = words.front().size();
  for (const auto& word : words) {
    const auto same = std::ranges::mismatch(words.front(), word).in1 - words.front().begin();
    size = std::min(size, static_cast<std::size_t>(same));
  }
  return size;
}

/// In as many columns as fit.
void print_words(const std::vector<std::string>& words) {
  const auto shown = std::min(words.size(), kMaxShownWords);
  std::size_t width = 0;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, display_width(words[i]) + 2);
  const auto in_row = std::max<std::size_t>(terminal_width(stdout) / width, 1);
  std::fputc('\n', stdout);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool ends_row = (i + 1) % in_row == 0 || i + 1 == shown;
    std::fputs((ends_row ? words[i] + "\n" : pad(words[i], width)).c_str(), stdout);
  }
  if (shown < words.size()) std::printf("… and %zu more\n", words.size() - shown);
}

}  // namespace

struct LineEditor::Impl {
  Options options;
  EditLine* editor = nullptr;
  History* history = nullptr;
  Descriptor stop{::eventfd(0, EFD_CLOEXEC)};  // readable once a stop is requested
  std::string prompt;
  bool is_cancelled = false;
  std::mbstate_t decoding{};
  std::vector<std::string> entered;  // not in the file yet

  static Impl& of(EditLine* editor) {
    Impl* impl = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &impl);
    return *impl;
  }

  /// libedit's own would not be woken by a stop.
  static int read_character(EditLine* editor, wchar_t* out) {
    auto& self = of(editor);
    while (true) {
      pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {self.stop.number(), POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0) continue;
      if (watched[1].revents != 0) return 0;
      char byte = 0;
      if (::read(STDIN_FILENO, &byte, 1) != 1) return 0;
      const auto used = std::mbrtowc(out, &byte, 1, &self.decoding);
      if (used <= 1) return 1;
      if (used == static_cast<std::size_t>(-1)) self.decoding = {};  // not UTF-8
    }
  }

  static unsigned char cancel(EditLine* editor, wint_t /*key*/) {
    of(editor).is_cancelled = true;
    return CC_NEWLINE;
  }

  static unsigned char complete(EditLine* editor, wint_t /*key*/) {
    const auto& self = of(editor);
    const auto* line = ::el_line(editor);
    const std::string_view before(line->buffer,
                                  static_cast<std::size_t>(line->cursor - line->buffer));
    const auto words =
        self.options.complete ? self.options.complete(before) : std::vector<std::string>();
    if (words.empty()) return CC_REFRESH_BEEP;
    // What is typed of the word already: as much as the line ends with.
    const auto common = words.front().substr(0, common_prefix(words));
    auto typed = std::min(common.size(), before.size());
    while (!before.ends_with(common.substr(0, typed))) --typed;
    const auto rest = common.substr(typed) + (words.size() == 1 ? " " : "");
    if (!rest.empty()) {
      return ::el_insertstr(editor, rest.c_str()) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
    }
    print_words(words);
    return CC_REDISPLAY;
  }

  void load_history() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(options.history, error);
    HistEvent event{};
    if (!error && size <= kMaxHistoryBytes) {
      ::history(history, &event, H_LOAD, options.history.c_str());
    }
  }

  /// Another prompt may have written there meanwhile: its entries stay, ours follow.
  void save_history() const {
    if (options.history.empty() || entered.empty()) return;
    HistEvent event{};
    ::history(history, &event, H_CLEAR);
    load_history();
    for (const auto& entry : entered) ::history(history, &event, H_ENTER, entry.c_str());
    const auto written = options.history.string() + ".new-" + std::to_string(random_bits());
    const int file =
        ::open(written.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return;
    std::FILE* stream = ::fdopen(file, "w");
    const bool is_saved = ::history(history, &event, H_SAVE_FP, stream) >= 0;
    const bool is_written = std::fclose(stream) == 0 && is_saved;
    std::error_code ignored;
    if (is_written) std::filesystem::rename(written, options.history, ignored);
    if (!is_written || ignored) std::filesystem::remove(written, ignored);
  }
};

LineEditor::LineEditor(Options options) : impl_(std::make_unique<Impl>()) {
  use_utf8();
  impl_->options = std::move(options);
  impl_->history = ::history_init();
  HistEvent event{};
  ::history(impl_->history, &event, H_SETSIZE, kMaxHistory);
  ::history(impl_->history, &event, H_SETUNIQUE, 1);  // the same again is one entry
  impl_->load_history();

  auto* editor = impl_->editor = ::el_init("weir", stdin, stdout, stderr);
  ::el_set(editor, EL_CLIENTDATA, impl_.get());
  ::el_set(editor, EL_PROMPT, +[](EditLine* self) { return Impl::of(self).prompt.data(); });
  ::el_set(editor, EL_EDITOR, "emacs");
  ::el_set(editor, EL_HIST, &::history, impl_->history);
  ::el_set(editor, EL_GETCFN, &Impl::read_character);
  ::el_set(editor, EL_ADDFN, "weir-complete", "Complete the word", &Impl::complete);
  ::el_set(editor, EL_ADDFN, "weir-cancel", "Give the line up", &Impl::cancel);
  ::el_set(editor, EL_BIND, "^I", "weir-complete", nullptr);
  ::el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  ::el_source(editor, nullptr);
  // While a line is edited Ctrl-C is a key, not a signal.
  ::el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  ::el_set(editor, EL_BIND, "^C", "weir-cancel", nullptr);
}

LineEditor::~LineEditor() {
  impl_->save_history();
  ::el_end(impl_->editor);
  ::history_end(impl_->history);
}

LineEditor::Line LineEditor::read(const std::string& prompt, const std::stop_token& stop) {
  impl_->prompt = prompt;
  impl_->is_cancelled = false;
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(impl_->stop.number(), &one, sizeof one));
  });
  ::el_resize(impl_->editor);  // the window may have another size now
  // Before the prompt is shown: libedit itself would do it after, and what is typed in between
  // would be shown twice, or its Ctrl-C be a signal.
  ::el_set(impl_->editor, EL_PREP_TERM, 1);
  int count = 0;
  const char* text = ::el_gets(impl_->editor, &count);
  if (impl_->is_cancelled) return {.end = End::kCancelled};
  if (text == nullptr || count <= 0) return {.end = End::kEnd};
  std::string line(text, static_cast<std::size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  return {.end = End::kLine, .text = std::move(line)};
}

void LineEditor::remember(const std::string& entry) {
  if (entry.empty() || entry.size() > kMaxEntryBytes) return;
  HistEvent event{};
  ::history(impl_->history, &event, H_ENTER, entry.c_str());
  impl_->entered.push_back(entry);
}

std::filesystem::path user_state_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && *state == '/') {
    folder = state;
  } else if (home != nullptr && *home == '/') {
    folder = std::filesystem::path(home) / ".local/state";
  } else {
    return {};
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  folder /= "weir";
  if (!error && !std::filesystem::exists(folder, error)) ::mkdir(folder.c_str(), S_IRWXU);
  return std::filesystem::is_directory(folder, error) ? folder : std::filesystem::path();
}

}  // namespace weir::cli
