// SPDX-License-Identifier: Apache-2.0
// The fp32 operations of a compute engine on one multiply-adder, in one combinational step:
//
//     op   0 move   1 add    2 sub    3 mul    4 fma        5 negate
//     y    a        a + b    a - b    a * b    a * b + c    -a         others: as 0
//
// A sum is a * 1 + b. A product is a * b plus the zero of its own sign, which changes no number and
// keeps -0. Move and negate change no other bit, of a NaN neither.
`default_nettype none

module wse_alu (
    input wire [2:0] op,
    input wire [31:0] a,
    input wire [31:0] b,
    input wire [31:0] c,
    output wire [31:0] y,
    input wire [3:0] mutant  // of wse_fma; 7 is one here
);
  localparam [2:0] ADD = 3'd1;
  localparam [2:0] SUB = 3'd2;
  localparam [2:0] MUL = 3'd3;
  localparam [2:0] FMA = 3'd4;
  localparam [2:0] NEGATE = 3'd5;
  localparam [31:0] ONE = 32'h3F800000;

  wire sums = op == ADD || op == SUB;
  wire product_sign = (a[31] ^ b[31]) && mutant != 4'd7;
  wire [31:0] factor = sums ? ONE : b;
  wire [31:0] term = sums      ? {b[31] ^ (op == SUB), b[30:0]} :
                     op == MUL ? {product_sign, 31'd0} :
                                 c;
  wire [31:0] computed;
  wse_fma fma (
      .a(a),
      .b(factor),
      .c(term),
      .y(computed),
      .mutant(mutant)
  );

  assign y = sums || op == MUL || op == FMA ? computed : {a[31] ^ (op == NEGATE), a[30:0]};
endmodule

`default_nettype wire
