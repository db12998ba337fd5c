include(GoogleTest)

# weir_module(NAME [USES module...] [LINKS target...] [TESTS_USE module...])
#
# src/NAME/*.cc becomes the static library weir_NAME; its *_test.cc become the program NAME_test.
# Tests of the suites named Threads* get the label `threads`: the thread sanitizer runs those, so
# its build has no file with other tests alone.
#
# All builds but `dev` join the sources of a module, and of its tests, into a few files
# (CMAKE_UNITY_BUILD), which builds and lints in a fifth of the time: what two files of a module keep
# for themselves has two names.
function(weir_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;TESTS_USE" ${ARGN})
  set(dir "${PROJECT_SOURCE_DIR}/src/${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(WEIR_SANITIZE STREQUAL "thread")
    foreach(test IN LISTS tests)
      file(STRINGS ${test} its_tests REGEX "^TEST")
      if(its_tests AND NOT its_tests MATCHES "\\(Threads")
        list(REMOVE_ITEM tests ${test})
      endif()
    endforeach()
  endif()
  list(FILTER sources EXCLUDE REGEX "(_(test|bench|fuzz)|/main)\\.cc$")

  add_library(weir_${name} STATIC ${sources})
  target_include_directories(weir_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM ARG_USES PREPEND weir_)
  target_link_libraries(weir_${name} PUBLIC ${ARG_USES} PRIVATE weir_flags ${ARG_LINKS})

  if(WEIR_TESTS AND tests)
    weir_test(${name}_test SOURCES ${tests} USES ${name} ${ARG_TESTS_USE})
  endif()
endfunction()

# weir_test(NAME SOURCES file... USES module...): a GoogleTest program, one ctest per TEST.
function(weir_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND weir_)
  target_link_libraries(${name} PRIVATE weir_flags ${ARG_USES} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    WEIR_SOURCE_DIR="${PROJECT_SOURCE_DIR}" WEIR_PROGRAM="$<TARGET_FILE:weir>")
  add_dependencies(${name} weir)
  # Their own code is not what takes time when they run, but it is when they are built.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  gtest_discover_tests(${name} TEST_FILTER "-Threads*" DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  gtest_discover_tests(${name} TEST_FILTER "Threads*" TEST_LIST ${name}_threads DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 LABELS threads SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()
