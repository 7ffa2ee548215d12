// SPDX-License-Identifier: Apache-2.0
// The top of a simulation that holds one router of a run of the model:
//
//   wse cosim noc .. --twin router@X,Y=remote:unix:PATH   and   SIMULATOR +wse_remote=PATH
//
// One exchange a clock (wse_remote.h), at the falling edge: the outputs have settled, and the
// inputs stand before the clock rises. A router whose outputs are x, or follow inputs within a
// clock, is refused, and the run ends on both sides.
//
// With wse_remote_dpi.c and wse_remote.c for simulators with DPI-C; with WSE_REMOTE_VPI defined and
// wse_remote_vpi.c for those with VPI alone. Its tests run in Verilator (DPI) and in Icarus (VPI),
// which stand in for commercial simulators: in those it has not been run.
//
// A router of your own: define WSE_REMOTE_ROUTER as the name of its module, and set SLOTS.
`timescale 1ns / 1ps
`default_nettype none

`ifndef WSE_REMOTE_ROUTER
`define WSE_REMOTE_ROUTER wse_router #(.COLORS(COLORS), .SLOTS(SLOTS))
`endif

`ifdef WSE_REMOTE_VPI
`define WSE_REMOTE_OPEN $wse_remote_open
`define WSE_REMOTE_SETUP $wse_remote_setup
`define WSE_REMOTE_WRITE $wse_remote_write
`define WSE_REMOTE_EXCHANGE $wse_remote_exchange
`define WSE_REMOTE_REFUSE $wse_remote_refuse
`else
`define WSE_REMOTE_OPEN wse_remote_dpi_open
`define WSE_REMOTE_SETUP wse_remote_dpi_setup
`define WSE_REMOTE_WRITE wse_remote_dpi_write
`define WSE_REMOTE_EXCHANGE wse_remote_dpi_exchange
`define WSE_REMOTE_REFUSE wse_remote_dpi_refuse
`endif

module wse_remote #(
    parameter integer COLORS = 24,
    parameter integer SLOTS = 6  // of a queue of the router
);
  // Of a record, which the contract fixes; the pins must fill it.
  localparam integer BITS = 320;
  localparam integer PINS = 17;

`ifndef WSE_REMOTE_VPI
  // Each gives a status: below 0 for a failure that has been printed.
  import "DPI-C" function int wse_remote_dpi_open(input string path, input int slots,
                                                  input bit [PINS*16-1:0] widths);
  // The number of writes.
  import "DPI-C" function int wse_remote_dpi_setup(output bit [4:0] mutant);
  import "DPI-C" function int wse_remote_dpi_write(input int index, output bit [39:0] write);
  // 1, or 0 at the end of the run.
  import "DPI-C" function int wse_remote_dpi_exchange(input bit [BITS-1:0] outputs,
                                                      output bit [BITS-1:0] inputs);
  import "DPI-C" function int wse_remote_dpi_refuse(input string reason);
`endif

  reg clk = 1'b0;
  reg rst = 1'b1;
  reg [4:0] in_valid = 5'd0;
  reg [5*32-1:0] in_data = 160'd0;
  reg [5*5-1:0] in_color = 25'd0;
  reg [4:0] in_control = 5'd0;
  reg [4:0] in_advance = 5'd0;
  reg [5*COLORS-1:0] in_credit = {5 * COLORS{1'b0}};
  wire [4:0] out_valid;
  wire [5*32-1:0] out_data;
  wire [5*5-1:0] out_color;
  wire [4:0] out_control;
  wire [4:0] out_advance;
  wire [5*COLORS-1:0] out_credit;
  reg cfg_write = 1'b0;
  reg [2:0] cfg_kind = 3'd0;
  reg [4:0] cfg_color = 5'd0;
  reg [31:0] cfg_value = 32'd0;
  reg [4:0] mutant = 5'd0;

  `WSE_REMOTE_ROUTER router (
      .clk(clk), .rst(rst),
      .in_valid(in_valid), .in_data(in_data), .in_color(in_color),
      .in_control(in_control), .in_advance(in_advance), .in_credit(in_credit),
      .out_valid(out_valid), .out_data(out_data), .out_color(out_color),
      .out_control(out_control), .out_advance(out_advance), .out_credit(out_credit),
      .cfg_write(cfg_write), .cfg_kind(cfg_kind), .cfg_color(cfg_color), .cfg_value(cfg_value),
      .mutant(mutant));

  // The first pin lowest.
  wire [PINS*16-1:0] widths = {
    16'($bits(mutant)), 16'($bits(cfg_value)), 16'($bits(cfg_color)), 16'($bits(cfg_kind)),
    16'($bits(cfg_write)),
    16'($bits(out_credit)), 16'($bits(out_advance)), 16'($bits(out_control)),
    16'($bits(out_color)), 16'($bits(out_data)), 16'($bits(out_valid)),
    16'($bits(in_credit)), 16'($bits(in_advance)), 16'($bits(in_control)),
    16'($bits(in_color)), 16'($bits(in_data)), 16'($bits(in_valid))
  };

  // What a port without a wavelet shows does not count.
  wire [5*32-1:0] shown_data;
  wire [5*5-1:0] shown_color;
  genvar p;
  generate
    for (p = 0; p < 5; p = p + 1) begin : g_shown
      assign shown_data[p*32+:32] = out_data[p*32+:32] & {32{out_valid[p]}};
      assign shown_color[p*5+:5] = out_color[p*5+:5] & {5{out_valid[p]}};
    end
  endgenerate
  wire [BITS-1:0] outputs = {out_credit, out_advance & out_valid, out_control & out_valid,
                             shown_color, shown_data, out_valid};

  reg [BITS-1:0] given;
  reg [BITS-1:0] taken;
  reg [4:0] planted;
  reg [39:0] write;
  string path;
  integer status;
  integer writes;
  integer i;

  // From one falling edge to the next.
  task rise_and_fall;
    begin
      #1 clk = 1'b1;
      #2 clk = 1'b0;
    end
  endtask

  // Reset, then the writes of the configuration, a clock each.
  task start;
    begin
      writes = `WSE_REMOTE_SETUP(planted);
      mutant = planted;
      #1 rise_and_fall;
      rst = 1'b0;
      for (i = 0; i < writes; i = i + 1) begin
        status = `WSE_REMOTE_WRITE(i, write);
        cfg_write = 1'b1;
        {cfg_value, cfg_color, cfg_kind} = write;
        #1 rise_and_fall;
      end
      cfg_write = 1'b0;
      status = 1;
    end
  endtask

  // Outputs of this clock out, inputs of this clock in; the clock follows.
  task exchange;
    begin
      given = outputs;
      if (^given === 1'bx) begin
        status = `WSE_REMOTE_REFUSE("an output of the router is x");
      end else begin
        status = `WSE_REMOTE_EXCHANGE(given, taken);
      end
      if (status > 0) begin
        {in_credit, in_advance, in_control, in_color, in_data, in_valid} = taken;
        #1;
        if (outputs !== given) begin
          status = `WSE_REMOTE_REFUSE("an output follows an input within the clock");
        end
      end
      if (status > 0) rise_and_fall;
    end
  endtask

  initial begin
    if (!$value$plusargs("wse_remote=%s", path)) path = "";
    status = `WSE_REMOTE_OPEN(path, SLOTS, widths);
    if (status >= 0) start;
    while (status > 0) exchange;
    if (status < 0) $fatal(1, "the run of the model is lost");
    $finish;
  end
endmodule

`default_nettype wire
