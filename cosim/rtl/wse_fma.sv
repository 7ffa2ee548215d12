// SPDX-License-Identifier: Apache-2.0
// y = a * b + c in fp32, rounded once to nearest, ties to even, in one combinational step. Subnormals,
// infinities and signed zeros as IEEE 754 says. An invalid operation (infinity times zero, infinity
// minus infinity) and a NaN operand give 32'hFFC00000.
//
// One path for all operands. Product and addend meet in a window of 76 bits, wide enough that only what
// cannot change the rounding is left outside of it:
//
//     bit  75 .. 52    51 50    49 ...................... 2    1 0
//          c at left           product, 48 bits                below it
//
// The product stays; c is shifted right from its place at the left. Where c is further left than that
// (by more than two bits above the product), the product keeps its distance of two bits: less than a
// quarter of the last place of c, it rounds the same wherever it is. Bits of c that leave on the right
// become the sticky bit. A subnormal factor leaves as few as 24 bits to the product, and one of them
// can cancel: the two bits below it are for that.
//
// mutant != 0 plants a fault, so that tests can show that they would see one.
`default_nettype none

module wse_fma (
    input wire [31:0] a,
    input wire [31:0] b,
    input wire [31:0] c,
    output wire [31:0] y,
    input wire [3:0] mutant
);
  localparam [31:0] NAN = 32'hFFC00000;
  localparam integer WINDOW = 76;

  // ---- operands --------------------------------------------------------------------------------

  wire a_normal = a[30:23] != 8'd0;
  wire b_normal = b[30:23] != 8'd0;
  wire c_normal = c[30:23] != 8'd0;
  wire a_top = a[30:23] == 8'hFF;  // infinity or NaN
  wire b_top = b[30:23] == 8'hFF;
  wire c_top = c[30:23] == 8'hFF;
  wire a_nan = a_top && a[22:0] != 23'd0;
  wire b_nan = b_top && b[22:0] != 23'd0;
  wire c_nan = c_top && c[22:0] != 23'd0;
  wire a_zero = a[30:0] == 31'd0;
  wire b_zero = b[30:0] == 31'd0;

  // Significands with the hidden bit; a subnormal number has the exponent of the smallest normal one.
  wire [23:0] a_part = {a_normal, a[22:0]};
  wire [23:0] b_part = {b_normal, b[22:0]};
  wire [23:0] c_part = {c_normal, c[22:0]};
  wire [9:0] a_exponent = {2'd0, a[30:24], a[23] | !a_normal};
  wire [9:0] b_exponent = {2'd0, b[30:24], b[23] | !b_normal};
  wire [9:0] c_exponent = {2'd0, c[30:24], c[23] | !c_normal};

  // ---- product ---------------------------------------------------------------------------------

  wire product_sign = a[31] ^ b[31];
  wire product_zero = a_zero || b_zero;
  wire [47:0] product = {24'd0, a_part} * {24'd0, b_part};
  // A zero product lies below everything, whatever the other factor.
  wire [9:0] product_exponent = product_zero ? 10'd0 : a_exponent + b_exponent;

  // ---- alignment -------------------------------------------------------------------------------

  // How far c goes to the right from the left end of the window; with 76 all of it has left.
  wire [10:0] distance = {1'b0, product_exponent} - {1'b0, c_exponent} - 11'd100;
  wire at_left = distance[10];  // negative: c stays, the product is below its rounding
  wire far = distance > 11'd76;
  wire [6:0] shift = at_left ? 7'd0 : far ? 7'd76 : distance[6:0];
  wire [WINDOW+23:0] aligned = {c_part, {WINDOW{1'b0}}} >> shift;
  wire narrow = mutant == 4'd8;  // as if there were no two bits below the product
  wire [WINDOW-1:0] addend = {aligned[WINDOW+23:26], narrow ? 2'd0 : aligned[25:24]};
  wire lost = aligned[23:0] != 24'd0 || (narrow && aligned[25:24] != 2'd0);
  wire sticky = lost && mutant != 4'd1;
  // The biased exponent of a number whose hidden bit is bit 75 of the window; at least 1.
  wire [9:0] exponent = at_left ? c_exponent : product_exponent - 10'd100;

  // ---- sum -------------------------------------------------------------------------------------

  // What c has lost below the window makes a difference smaller: no carry in then. It is lost only
  // where the product is larger, so that a negative difference is exact.
  wire subtract = product_sign ^ c[31];
  wire carry = subtract && (!sticky || mutant == 4'd2);
  wire [WINDOW:0] left = {{27{1'b0}}, product, 2'd0};
  wire [WINDOW:0] right = {1'b0, addend} ^ {(WINDOW + 1) {subtract}};
  wire [WINDOW:0] sum = left + right + {{WINDOW{1'b0}}, carry};
  wire negative = sum[WINDOW];  // a sum of magnitudes does not reach it
  wire [WINDOW-1:0] magnitude = negative ? ~sum[WINDOW-1:0] + 1'b1 : sum[WINDOW-1:0];
  wire zero = magnitude == {WINDOW{1'b0}};
  // Rounding to nearest: x - x is +0, and a sum of zeros is -0 if both are.
  wire sign = zero ? product_sign && (c[31] || mutant == 4'd4) : negative ? c[31] : product_sign;

  // ---- leading zeros ---------------------------------------------------------------------------

  // By halves; ones behind the window end the count at 76. The last bit of a half decides nothing.
  wire [127:1] tail = {magnitude, {(127 - WINDOW) {1'b1}}};
  wire skip64 = tail[127:64] == 64'd0;
  wire [63:1] half64 = skip64 ? tail[63:1] : tail[127:65];
  wire skip32 = half64[63:32] == 32'd0;
  wire [31:1] half32 = skip32 ? half64[31:1] : half64[63:33];
  wire skip16 = half32[31:16] == 16'd0;
  wire [15:1] half16 = skip16 ? half32[15:1] : half32[31:17];
  wire skip8 = half16[15:8] == 8'd0;
  wire [7:1] half8 = skip8 ? half16[7:1] : half16[15:9];
  wire skip4 = half8[7:4] == 4'd0;
  wire [3:1] half4 = skip4 ? half8[3:1] : half8[7:5];
  wire skip2 = half4[3:2] == 2'd0;
  wire skip1 = skip2 ? !half4[1] : !half4[3];
  wire [6:0] leading = {skip64, skip32, skip16, skip8, skip4, skip2, skip1};

  // ---- normalisation ---------------------------------------------------------------------------

  // To the first one, but not below the smallest exponent: what is left there is subnormal.
  wire bounded = exponent < {3'd0, leading} || (exponent == {3'd0, leading} && mutant != 4'd6);
  wire [6:0] places = bounded ? exponent[6:0] - 7'd1 : leading;
  wire [WINDOW-1:0] normal = magnitude << places;
  wire hidden = normal[WINDOW-1];
  wire [9:0] scaled = hidden ? exponent - {3'd0, places} : 10'd0;

  // ---- rounding --------------------------------------------------------------------------------

  wire last = normal[52];
  wire guard = normal[51];
  wire below = normal[50:0] != 51'd0 || sticky;
  wire up = guard && (below || last || mutant == 4'd5);
  // A carry out of the fraction goes on into the exponent: to the next binade, from the subnormal
  // numbers to the normal ones, from the largest number to infinity.
  wire [32:0] rounded = {scaled, normal[74:52]} + {32'd0, up};
  wire overflow = rounded[32:23] >= 10'd255;
  wire flush = mutant == 4'd3 && rounded[32:23] == 10'd0;

  // ---- result ----------------------------------------------------------------------------------

  wire product_top = a_top || b_top;
  wire invalid = (a_top && b_zero) || (a_zero && b_top) || (product_top && c_top && subtract);
  wire [31:0] infinity = {product_top ? product_sign : c_top ? c[31] : sign, 8'hFF, 23'd0};
  assign y = a_nan || b_nan || c_nan || invalid ? NAN :
             product_top || c_top || overflow   ? infinity :
             zero || flush                      ? {sign, 31'd0} :
                                                  {sign, rounded[30:0]};
endmodule

`default_nettype wire
