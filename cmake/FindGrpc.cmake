# Grpc::Grpc: gRPC for C++. Its own libraries and Abseil's are linked from archives: as shared ones they
# would be fifty files that every command loads before it begins. What Weir uses besides, and what has
# security fixes of its own, stays shared.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PC_Grpc QUIET grpc++)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Grpc REQUIRED_VARS PC_Grpc_STATIC_LIBRARIES
  VERSION_VAR PC_Grpc_VERSION)
if(Grpc_FOUND AND NOT TARGET Grpc::Grpc)
  set(grpc_libraries)
  foreach(library IN LISTS PC_Grpc_STATIC_LIBRARIES)
    if(library MATCHES "^(grpc|gpr|upb|address_sorting|absl_)")
      find_library(Grpc_${library} NAMES lib${library}.a REQUIRED)
      list(APPEND grpc_libraries ${Grpc_${library}})
    else()
      list(APPEND grpc_libraries ${library})
    endif()
  endforeach()
  add_library(Grpc::Grpc INTERFACE IMPORTED)
  set_target_properties(Grpc::Grpc PROPERTIES INTERFACE_LINK_LIBRARIES "${grpc_libraries}"
    INTERFACE_INCLUDE_DIRECTORIES "${PC_Grpc_INCLUDE_DIRS}")
endif()
