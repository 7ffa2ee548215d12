// SPDX-License-Identifier: Apache-2.0
// A router with a register behind each output: what it gives, and the slots that it frees, come a clock later.
`default_nettype none

module pipelined_router (
    input wire clk,
    input wire rst,
    input wire [4:0]    in_valid,
    input wire [159:0]  in_data,
    input wire [24:0]   in_color,
    input wire [4:0]    in_control,
    input wire [4:0]    in_advance,
    input wire [119:0]  in_credit,
    output reg [4:0]    out_valid,
    output reg [159:0]  out_data,
    output reg [24:0]   out_color,
    output reg [4:0]    out_control,
    output reg [4:0]    out_advance,
    output reg [119:0]  out_credit,
    input wire          cfg_write,
    input wire [2:0]    cfg_kind,
    input wire [4:0]    cfg_color,
    input wire [31:0]   cfg_value,
    input wire [4:0]    mutant
);
  wire [4:0] valid, control, advance;
  wire [159:0] data;
  wire [24:0] color;
  wire [119:0] credit;

  wse_router #(.SLOTS(8)) router (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_data(in_data), .in_color(in_color), .in_control(in_control),
      .in_advance(in_advance), .in_credit(in_credit), .out_valid(valid), .out_data(data), .out_color(color),
      .out_control(control), .out_advance(advance), .out_credit(credit), .cfg_write(cfg_write), .cfg_kind(cfg_kind),
      .cfg_color(cfg_color), .cfg_value(cfg_value), .mutant(mutant)
  );

  always @(posedge clk) begin
    out_valid <= rst ? 5'd0 : valid;
    out_credit <= rst ? 120'd0 : credit;
    out_data <= data;
    out_color <= color;
    out_control <= control;
    out_advance <= advance;
  end
endmodule

`default_nettype wire
