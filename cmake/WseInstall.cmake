# What `cmake --install` brings: the executable, the libraries with their headers (in wse_add_layer), configs, the
# sources of the benches, and the CMake package wse-tlm.
include(CMakePackageConfigHelpers)
set(wse_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wse-tlm)
set(wse_data_dir ${CMAKE_INSTALL_DATADIR}/wse-tlm)  # the executable looks for it beside its own folder

if(TARGET wse_cli)
  install(PROGRAMS $<TARGET_FILE:wse_cli> DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME wse)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${wse_data_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/testbenches/benches DESTINATION ${wse_data_dir}/testbenches)

install(EXPORT wse-tlm-targets NAMESPACE wse:: DESTINATION ${wse_package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/wse-tlm-config.cmake.in
                              ${PROJECT_BINARY_DIR}/wse-tlm-config.cmake INSTALL_DESTINATION ${wse_package_dir}
                              PATH_VARS wse_data_dir)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wse-tlm-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wse-tlm-config.cmake ${PROJECT_BINARY_DIR}/wse-tlm-config-version.cmake
        DESTINATION ${wse_package_dir})
