// SPDX-License-Identifier: Apache-2.0
// One single-ported SRAM bank of a tile, 32 bits wide: a load or a store at each edge. What is loaded at an edge is
// on read_data until the next one. An address past the end stores nothing and loads zero. The contract is in
// docs/cosim.md.

`default_nettype none

module wse_sram_bank #(
    parameter integer WORDS = 1536  // 6 KB: an eighth of a tile's 48 KB
) (
    input wire        clk,
    input wire        rst,
    input wire        enable,
    input wire        write,
    input wire [15:0] address,  // of a word
    input wire [3:0]  bytes,    // of a store
    input wire [31:0] write_data,

    output wire [31:0] read_data,
    output wire        valid,  // the last edge was a load

    input wire [4:0] mutant
);
  localparam integer Bits = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam [Bits-1:0] Last = WORDS[Bits-1:0] - 1;

  // Planted faults, to show that a comparison would see them.
  wire lose_byte = mutant == 5'd1;  // the highest byte is never stored
  wire store_whole = mutant == 5'd2;  // byte enables do not count
  wire store_idle = mutant == 5'd3;  // a store without enable
  wire valid_for_store = mutant == 5'd4;  // a store looks like a load
  wire fold = mutant == 5'd5;  // the highest address bit does not count
  wire load_past_end = mutant == 5'd6;  // a load past the end gives the last word
  wire lose_last = mutant == 5'd7;  // the last word is never stored
  wire keep_valid = mutant == 5'd8;  // valid stays when nothing is asked

  reg [31:0] memory [0:WORDS-1];
  reg [31:0] loaded;
  reg is_valid;
  reg was_in_range;

  wire in_range = {16'd0, address} < WORDS;
  wire [Bits-1:0] masked = fold ? {1'b0, address[Bits-2:0]} : address[Bits-1:0];
  wire [Bits-1:0] word = in_range ? masked : Last;
  wire stores = (enable || store_idle) && write && in_range && !(lose_last && word == Last);
  wire [3:0] stored = store_whole ? 4'b1111 : lose_byte ? bytes & 4'b0111 : bytes;

  always @(posedge clk) begin
    if (stores && stored[0]) memory[word][7:0] <= write_data[7:0];
    if (stores && stored[1]) memory[word][15:8] <= write_data[15:8];
    if (stores && stored[2]) memory[word][23:16] <= write_data[23:16];
    if (stores && stored[3]) memory[word][31:24] <= write_data[31:24];
  end
  always @(posedge clk) begin
    if (enable && !write) loaded <= memory[word];
    was_in_range <= in_range || load_past_end;
    is_valid <= !rst && (enable ? !write || valid_for_store : keep_valid && is_valid);
  end

  assign valid = is_valid;
  assign read_data = was_in_range ? loaded : 32'd0;
endmodule

`default_nettype wire
