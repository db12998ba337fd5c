include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# The library for other people's programs: libweir.a and the headers of include/weir/, which they
# find with find_package(weir) as weir::record. One archive of all that recording needs, so that the
# modules are nobody's business outside. base's YAML is left out: only files of pipelines need it.
set(objects "")
foreach(module base event log project record embed)
  list(APPEND objects $<TARGET_OBJECTS:weir_${module}>)
endforeach()
add_library(weir_sdk STATIC $<FILTER:${objects},EXCLUDE,/base/yaml\\.cc>)
set_target_properties(weir_sdk PROPERTIES OUTPUT_NAME weir EXPORT_NAME record LINKER_LANGUAGE CXX)
target_compile_features(weir_sdk INTERFACE cxx_std_17)
target_include_directories(weir_sdk INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(weir_sdk INTERFACE simdjson::simdjson OpenSSL::Crypto ZLIB::ZLIB
  Threads::Threads)

# Who links an archive needs what its objects need: those of these two modules need more than reports
# do, so they stay objects of their own where files are joined.
if(NOT WEIR_SANITIZE)
  set_target_properties(weir_export weir_report PROPERTIES UNITY_BUILD OFF)
endif()

# Reports and metrics on top of it, as weir::report: with the store, and so DuckDB's library, which
# is looked for when a program runs. Of export only what makes texts: the rest needs libcurl.
set(objects "")
foreach(module artifact store report)
  list(APPEND objects $<TARGET_OBJECTS:weir_${module}>)
endforeach()
add_library(weir_sdk_report STATIC ${objects}
  "$<FILTER:$<TARGET_OBJECTS:weir_export>,INCLUDE,/export/(metrics|prometheus)_>")
set_target_properties(weir_sdk_report PROPERTIES OUTPUT_NAME weir_report EXPORT_NAME report
  LINKER_LANGUAGE CXX)
target_link_libraries(weir_sdk_report INTERFACE weir_sdk ${CMAKE_DL_LIBS})

# The engine on top of both, as weir::engine. Of plugins the supervisor is the program `weir`'s: those
# that manifests describe are run by it alone.
set(objects "")
foreach(module config tool pipeline engine plugins embed_engine)
  list(APPEND objects $<TARGET_OBJECTS:weir_${module}>)
endforeach()
add_library(weir_sdk_engine STATIC ${objects}
  "$<FILTER:$<TARGET_OBJECTS:weir_base>,INCLUDE,/base/yaml\\.cc>")
set_target_properties(weir_sdk_engine PROPERTIES OUTPUT_NAME weir_engine EXPORT_NAME engine
  LINKER_LANGUAGE CXX)
# By their names: who only records need not have them.
target_link_libraries(weir_sdk_engine INTERFACE weir_sdk_report yaml-cpp curl seccomp)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/sdk)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/weirConfig.cmake.in
  ${generated}/weirConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${generated}/weirConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS weir_sdk weir_sdk_report weir_sdk_engine EXPORT weirTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_dir} COMPONENT sdk)
install(FILES ${generated}/weirConfig.cmake ${generated}/weirConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT sdk)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weir
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
