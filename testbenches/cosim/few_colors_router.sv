// SPDX-License-Identifier: Apache-2.0
// A router that has the pins of the contract and the queues of its lowest colors only: simulators
// that interpret are slow with all of them.
`default_nettype none

module few_colors_router #(
    parameter integer COLORS = 24,
    parameter integer FEW = 2,
    parameter integer SLOTS = 6
) (
    input wire clk,
    input wire rst,
    input wire [4:0]           in_valid,
    input wire [5*32-1:0]      in_data,
    input wire [5*5-1:0]       in_color,
    input wire [4:0]           in_control,
    input wire [4:0]           in_advance,
    input wire [5*COLORS-1:0]  in_credit,
    output wire [4:0]          out_valid,
    output wire [5*32-1:0]     out_data,
    output wire [5*5-1:0]      out_color,
    output wire [4:0]          out_control,
    output wire [4:0]          out_advance,
    output wire [5*COLORS-1:0] out_credit,
    input wire        cfg_write,
    input wire [2:0]  cfg_kind,
    input wire [4:0]  cfg_color,
    input wire [31:0] cfg_value,
    input wire [4:0]  mutant
);
  wire [5*FEW-1:0] in_few;
  wire [5*FEW-1:0] out_few;
  genvar p;
  generate
    for (p = 0; p < 5; p = p + 1) begin : g_port
      assign in_few[p*FEW+:FEW] = in_credit[p*COLORS+:FEW];
      assign out_credit[p*COLORS+:COLORS] = {{COLORS - FEW{1'b0}}, out_few[p*FEW+:FEW]};
    end
  endgenerate

  wse_router #(.COLORS(FEW), .SLOTS(SLOTS)) router (
      .clk(clk), .rst(rst),
      .in_valid(in_valid), .in_data(in_data), .in_color(in_color),
      .in_control(in_control), .in_advance(in_advance), .in_credit(in_few),
      .out_valid(out_valid), .out_data(out_data), .out_color(out_color),
      .out_control(out_control), .out_advance(out_advance), .out_credit(out_few),
      .cfg_write(cfg_write), .cfg_kind(cfg_kind), .cfg_color(cfg_color), .cfg_value(cfg_value),
      .mutant(mutant));
endmodule

`default_nettype wire
