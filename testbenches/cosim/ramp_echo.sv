// SPDX-License-Identifier: Apache-2.0
// A tile that sends every wavelet back: data plus one, the color below, control and advance as they came. What is taken at
// an edge is given right behind it if there is a credit.

`default_nettype none

module ramp_echo #(
    parameter integer DEPTH = 8,  // of its queue, a power of two
    parameter integer CREDITS = 4  // behind the ramp for its color
) (
    input wire        clk,
    input wire        in_valid,
    input wire [31:0] in_data,
    input wire [4:0]  in_color,
    input wire        in_control,
    input wire        in_advance,
    input wire [23:0] in_credit,

    output reg        out_valid,
    output reg [31:0] out_data,
    output reg [4:0]  out_color,
    output reg        out_control,
    output reg        out_advance,
    output reg [23:0] out_credit
);
  localparam integer Bits = $clog2(DEPTH);

  reg [38:0] queue [0:DEPTH-1];
  reg [Bits-1:0] head = 0;
  reg [Bits:0] count = 0;
  reg [7:0] credits = CREDITS[7:0];

  wire [38:0] taken = {in_color, in_control, in_advance, in_data};
  wire [38:0] next = count != 0 ? queue[head] : taken;
  wire [4:0] back = next[38:34] - 5'd1;
  wire [7:0] have = credits + {7'd0, in_credit[back]};
  wire gives = (count != 0 || in_valid) && have != 0;

  always @(posedge clk) begin
    if (in_valid) queue[head + count[Bits-1:0]] <= taken;
    if (gives) head <= head + 1'b1;
    count <= count + {{Bits{1'b0}}, in_valid} - {{Bits{1'b0}}, gives};
    credits <= credits + {7'd0, |in_credit} - {7'd0, gives};
    out_valid <= gives;
    out_data <= next[31:0] + 32'd1;
    out_advance <= next[32];
    out_control <= next[33];
    out_color <= back;
    out_credit <= gives ? 24'd1 << next[38:34] : 24'd0;
  end
endmodule

`default_nettype wire
