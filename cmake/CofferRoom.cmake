# One warning set, one sanitizer set and one way to declare a room or a test, so that no target can forget them.

add_library(coffer_flags INTERFACE)
target_compile_options(coffer_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
# Clang checks the annotations of coffer/base/mutex.h.
target_compile_options(coffer_flags INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
# GCC 12 takes operator+("literal", std::string) for an overlapping copy (its bug 105651); Clang's build keeps watch.
target_compile_options(coffer_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(coffer_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
if(COFFER_SANITIZE)
  target_compile_options(coffer_flags INTERFACE -fsanitize=${COFFER_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(coffer_flags INTERFACE -fsanitize=${COFFER_SANITIZE})
else()
  target_compile_options(coffer_flags INTERFACE -fstack-protector-strong
                                                $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  target_link_options(coffer_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# Tests are compiled without optimization in every build: half of their compile time is optimization that nothing waits for.
# (_FORTIFY_SOURCE needs it.) What they test, the rooms, is compiled as the build says.
set(test_options -O0 -U_FORTIFY_SOURCE)

# The standard headers that most sources use, compiled once for all rooms and once, with GoogleTest, for all tests.
# Clang compiles the rooms without: there a source that includes too little does not compile.
option(COFFER_PCH "Compile the most used standard headers once" ON)
function(coffer_precompiled NAME)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled/${NAME}.cc "")
  add_library(${NAME} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${NAME}.cc)
  target_link_libraries(${NAME} PRIVATE coffer_flags)
  target_precompile_headers(${NAME} PRIVATE ${ARGN})
endfunction()
if(COFFER_PCH)
  set(standard_headers <algorithm> <array> <atomic> <charconv> <chrono> <cstddef> <cstdint> <filesystem> <fstream> <functional>
      <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread> <unordered_map> <utility> <vector> <tl/expected.hpp>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # ccache asks for the first. With a precompiled header GCC 12 warns about code inlined from the standard library,
    # which it otherwise leaves out as a system header's; Clang's build keeps watch.
    add_compile_options(-fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    coffer_precompiled(coffer_standard_headers ${standard_headers})
  else()
    list(APPEND test_options "SHELL:-Xclang -fno-pch-timestamp") # ccache asks for it
  endif()
  if(COFFER_TESTS)
    coffer_precompiled(coffer_test_headers ${standard_headers} <gtest/gtest.h>)
    target_link_libraries(coffer_test_headers PRIVATE GTest::gtest)
    # A program's sources are compiled with -fPIE, a library's with -fPIC.
    set_target_properties(coffer_test_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(coffer_test_headers PRIVATE -fPIE ${test_options})
  endif()
endif()

# The allocator of programs that run as a release does (docs/adr/0008): sanitizers bring their own.
add_library(program_allocator INTERFACE)
if(NOT COFFER_SANITIZE)
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
  target_link_libraries(program_allocator INTERFACE PkgConfig::JEMALLOC)
endif()

# coffer_room(NAME SRCS ... DEPS room... [PRIVATE_LIBS target...])
# A static library coffer_<NAME>; DEPS are rooms, PRIVATE_LIBS are foreign libraries seen by the room's own sources only.
function(coffer_room NAME)
  cmake_parse_arguments(ROOM "" "" "SRCS;DEPS;PRIVATE_LIBS" ${ARGN})
  add_library(coffer_${NAME} STATIC ${ROOM_SRCS})
  target_include_directories(coffer_${NAME} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(coffer_${NAME} PUBLIC coffer_flags)
  foreach(dep ${ROOM_DEPS})
    target_link_libraries(coffer_${NAME} PUBLIC coffer_${dep})
  endforeach()
  target_link_libraries(coffer_${NAME} PRIVATE ${ROOM_PRIVATE_LIBS})
  if(TARGET coffer_standard_headers)
    target_precompile_headers(coffer_${NAME} REUSE_FROM coffer_standard_headers)
  endif()
endfunction()

# coffer_test(NAME SRCS ... DEPS room... [LIBS target...] [LABELS label...] [SERIAL] [LEAKY_TOKEN])
# LEAKY_TOKEN: what SoftHSM is known to leak there is overlooked (tests/sanitizers/lsan.supp).
# One GoogleTest executable; SRCS default to NAME.cc. Each TEST becomes one ctest test.
function(coffer_test NAME)
  cmake_parse_arguments(T "SERIAL;LEAKY_TOKEN" "" "SRCS;DEPS;LIBS;LABELS" ${ARGN})
  if(NOT T_SRCS)
    set(T_SRCS ${NAME}.cc)
  endif()
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  add_executable(${NAME} ${T_SRCS})
  target_include_directories(${NAME} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${NAME} PRIVATE coffer_flags ${T_LIBS} GTest::gtest_main)
  target_compile_options(${NAME} PRIVATE ${test_options})
  if(TARGET coffer_test_headers)
    target_precompile_headers(${NAME} REUSE_FROM coffer_test_headers)
  endif()
  foreach(dep ${T_DEPS})
    target_link_libraries(${NAME} PRIVATE coffer_${dep})
  endforeach()
  set(props LABELS "${T_LABELS}" TIMEOUT 300)
  if(T_SERIAL)
    list(APPEND props RUN_SERIAL ON)
  endif()
  if(T_LEAKY_TOKEN)
    list(APPEND props ENVIRONMENT LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/sanitizers/lsan.supp)
  endif()
  gtest_discover_tests(${NAME} DISCOVERY_TIMEOUT 60 PROPERTIES ${props})
endfunction()
