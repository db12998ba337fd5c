// fuzz_replay NAME FOLDER: gives every file of a corpus to the fuzzer of that name, which aborts
// when something does not hold. An ordinary program for every compiler: CI runs what fuzzers have
// found.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

// Each fuzzer's LLVMFuzzerTestOneInput has its own name here: see CMakeLists.txt.
#define WEIR_FUZZER(name) extern "C" int fuzz_##name(const unsigned char* data, std::size_t size);
WEIR_FUZZERS
#undef WEIR_FUZZER

int main(int argc, char** argv) {
  using Fuzzer = int (*)(const unsigned char*, std::size_t);
#define WEIR_FUZZER(name) {#name, &fuzz_##name},
  const std::map<std::string, Fuzzer> fuzzers = {WEIR_FUZZERS};
#undef WEIR_FUZZER
  if (argc != 3 || !fuzzers.contains(argv[1])) return 2;
  std::vector<std::filesystem::path> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    inputs.push_back(entry.path());
  }
  std::ranges::sort(inputs);
  for (const auto& path : inputs) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::fprintf(stderr, "%s\n", path.c_str());  // the last one is the one that fails
    fuzzers.at(argv[1])(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  std::printf("%s: %zu inputs\n", argv[1], inputs.size());
  return inputs.empty() ? 1 : 0;
}
