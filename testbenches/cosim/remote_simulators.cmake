# The reference router in the simulators that stand in for commercial ones: target wse_remote_simulators, and as
# ${remote_simulators} the definitions of how each is started, or why it cannot be.
set(remote_source ${PROJECT_SOURCE_DIR}/cosim/remote)
set(remote_built ${CMAKE_CURRENT_BINARY_DIR}/remote)
file(MAKE_DIRECTORY ${remote_built})
set(remote_client ${remote_source}/wse_remote.c ${remote_source}/wse_remote.h)
set(remote_rtl ${remote_source}/wse_remote.sv ${PROJECT_SOURCE_DIR}/cosim/rtl/wse_router.sv)  # in this order: of one time scale

# DPI-C: Verilator makes a program that needs nobody to clock it.
set(dpi_simulator "")
set(dpi_reason "Verilator was not found")
if(WSE_SANITIZE)
  set(dpi_reason "Verilated code is not built with sanitizers")
elseif(verilator_FOUND AND verilator_VERSION VERSION_LESS 5.006)
  set(dpi_reason "Verilator ${verilator_VERSION} makes no programs of its own")
elseif(verilator_FOUND)
  find_program(VERILATOR_BIN NAMES verilator_bin verilator HINTS $ENV{VERILATOR_ROOT}/bin)
  set(dpi_simulator ${remote_built}/dpi/simulator)
  add_custom_command(OUTPUT ${dpi_simulator}
    COMMAND ${VERILATOR_BIN} --binary --timing -j 1 -Wall -O3 --x-assign fast --x-initial fast
            --top-module wse_remote --Mdir ${remote_built}/dpi -o simulator -CFLAGS -I${remote_source}
            ${remote_rtl} ${remote_source}/wse_remote_dpi.c ${remote_source}/wse_remote.c
            > ${remote_built}/dpi.log
    DEPENDS ${remote_rtl} ${remote_client} ${remote_source}/wse_remote_dpi.c
    COMMENT "Building a simulator with DPI-C, by Verilator" VERBATIM)
endif()

# VPI: Icarus interprets, so its router has few colors.
set(vpi_simulator "")
set(vpi_built "")
find_program(WSE_IVERILOG iverilog)
find_program(WSE_IVERILOG_VPI iverilog-vpi)
find_program(WSE_VVP vvp)
if(WSE_IVERILOG AND WSE_IVERILOG_VPI AND WSE_VVP AND CMAKE_C_COMPILER)
  set(vpi_built ${remote_built}/wse_remote.vpi ${remote_built}/few_colors.vvp)
  set(vpi_simulator "${WSE_VVP} -N -M${remote_built} -mwse_remote ${remote_built}/few_colors.vvp")
  add_custom_command(OUTPUT ${remote_built}/wse_remote.vpi
    COMMAND ${WSE_IVERILOG_VPI} --name=wse_remote -I${remote_source} ${remote_source}/wse_remote_vpi.c
            ${remote_source}/wse_remote.c > ${remote_built}/vpi.log
    WORKING_DIRECTORY ${remote_built} DEPENDS ${remote_client} ${remote_source}/wse_remote_vpi.c
    COMMENT "Building the client for VPI" VERBATIM)
  add_custom_command(OUTPUT ${remote_built}/few_colors.vvp
    COMMAND ${WSE_IVERILOG} -g2012 -DWSE_REMOTE_VPI -DWSE_REMOTE_ROUTER=few_colors_router -s wse_remote
            -o ${remote_built}/few_colors.vvp ${remote_rtl} ${CMAKE_CURRENT_SOURCE_DIR}/few_colors_router.sv
    DEPENDS ${remote_rtl} ${CMAKE_CURRENT_SOURCE_DIR}/few_colors_router.sv
    COMMENT "Building a simulation with VPI, by Icarus" VERBATIM)
endif()

add_custom_target(wse_remote_simulators DEPENDS ${dpi_simulator} ${vpi_built})
set(remote_simulators WSE_DPI_SIMULATOR="${dpi_simulator}" WSE_DPI_REASON="${dpi_reason}"
                      WSE_VPI_SIMULATOR="${vpi_simulator}" WSE_VPI_REASON="Icarus or a C compiler was not found")
