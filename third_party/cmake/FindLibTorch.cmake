# LibTorch as the imported target Torch::torch, found without LibTorch's own package files: those demand nvcc as soon
# as the wheel was built with CUDA, and a machine without a GPU must still build.
#
#   ZOO_TORCH (cache or environment): a prefix with include/ and lib/, for example .../site-packages/torch
# Otherwise: the private environment that third_party/setup.sh makes, then the active Python's torch.
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_PREFIX, LibTorch_CUDA (the wheel carries CUDA libraries).
set(ZOO_TORCH "$ENV{ZOO_TORCH}" CACHE PATH "LibTorch prefix: the folder that holds include/ and lib/")

set(_candidates ${ZOO_TORCH})
if(NOT ZOO_TORCH)
  if(DEFINED ENV{VIRTUAL_ENV})
    file(GLOB _active "$ENV{VIRTUAL_ENV}/lib/python3*/site-packages/torch")
    list(APPEND _candidates ${_active})
  endif()
  file(GLOB _private "${CMAKE_CURRENT_LIST_DIR}/../venv/lib/python3*/site-packages/torch")
  list(APPEND _candidates ${_private})
  if(NOT _candidates)
    execute_process(
      COMMAND python3 -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE _python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND _candidates ${_python} /usr)
  endif()
endif()

# The first that is new enough; failing that the first, so that the message can name it.
unset(LibTorch_PREFIX)
unset(LibTorch_VERSION)
foreach(_candidate IN LISTS _candidates)
  foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS "${_candidate}/include/${_header}")
      file(STRINGS "${_candidate}/include/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      if(_lines)
        string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" _version "${_lines}")
        if(NOT LibTorch_PREFIX OR (LibTorch_VERSION VERSION_LESS 2.11 AND NOT _version VERSION_LESS 2.11))
          cmake_path(ABSOLUTE_PATH _candidate NORMALIZE OUTPUT_VARIABLE LibTorch_PREFIX)
          set(LibTorch_VERSION ${_version})
        endif()
        break()
      endif()
    endif()
  endforeach()
endforeach()

if(LibTorch_PREFIX)
  foreach(_library torch torch_cpu c10 torch_cuda c10_cuda)
    find_library(LibTorch_${_library}_LIBRARY ${_library} PATHS "${LibTorch_PREFIX}/lib" NO_DEFAULT_PATH NO_CACHE)
  endforeach()
  set(LibTorch_CUDA OFF)
  if(LibTorch_torch_cuda_LIBRARY AND LibTorch_c10_cuda_LIBRARY)
    set(LibTorch_CUDA ON)
  endif()
endif()

include(FindPackageHandleStandardArgs)
if(NOT LibTorch_PREFIX)
  set(_hint "no LibTorch found. Hint: run 'bash third_party/setup.sh', or pass -DZOO_TORCH=/path/to/site-packages/torch")
elseif(LibTorch_VERSION VERSION_LESS 2.11)
  set(_hint "LibTorch ${LibTorch_VERSION} in ${LibTorch_PREFIX} is too old: 2.11 to 2.14 are supported (Debian's 1.13 has a reference BLAS, 4 to 60 times slower). Hint: run 'bash third_party/setup.sh', or pass -DZOO_TORCH=/path/to/site-packages/torch")
  unset(LibTorch_torch_LIBRARY)
endif()
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_LIBRARY LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY
  VERSION_VAR LibTorch_VERSION REASON_FAILURE_MESSAGE "${_hint}")

if(LibTorch_FOUND AND NOT TARGET Torch::torch)
  add_library(Torch::torch INTERFACE IMPORTED)
  set_target_properties(Torch::torch PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
    "${LibTorch_PREFIX}/include;${LibTorch_PREFIX}/include/torch/csrc/api/include")
  # --no-as-needed: the operators register themselves when their library is loaded, whether or not a symbol is used.
  set(_libraries -Wl,--no-as-needed ${LibTorch_torch_LIBRARY} ${LibTorch_torch_cpu_LIBRARY} ${LibTorch_c10_LIBRARY})
  if(LibTorch_CUDA)
    list(APPEND _libraries ${LibTorch_torch_cuda_LIBRARY} ${LibTorch_c10_cuda_LIBRARY})
    file(GLOB _nvidia "${LibTorch_PREFIX}/../nvidia/*/lib" "${LibTorch_PREFIX}/../nvidia/*/*/lib")
    foreach(_folder IN LISTS _nvidia)
      set_property(TARGET Torch::torch APPEND PROPERTY INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${_folder}")
    endforeach()
    file(GLOB _nvidia_include "${LibTorch_PREFIX}/../nvidia/*/include")
    set(LibTorch_NVIDIA_INCLUDE_DIRS ${_nvidia_include})
    set(LibTorch_NVIDIA_LIBRARY_DIRS ${_nvidia})
  endif()
  set_property(TARGET Torch::torch PROPERTY INTERFACE_LINK_LIBRARIES ${_libraries})
endif()
