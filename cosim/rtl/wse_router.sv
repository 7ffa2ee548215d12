// SPDX-License-Identifier: Apache-2.0
// A router of the fabric, as docs/timing.md and docs/cosim.md describe it: a queue for each input and
// color, switches of up to four positions, filters at the ramp, credits, round robin.
//
// Ports 0 .. 4: north, east, south, west, ramp. Every output is a function of the state (Moore).
// Routes are written through cfg_* before the first wavelet. mutant != 0 plants a fault, so that
// campaigns can show that they would see one.
//
// In the subset that Verilator, Icarus and Yosys share: flat vectors, no memories, no latches.
`default_nettype none

module wse_router #(
    parameter integer COLORS = 24,
    parameter integer SLOTS = 4,  // of a queue, at least those that senders count on
    parameter integer CREDIT_BITS = 8
) (
    input wire clk,
    input wire rst,

    // A wavelet from each port, and slots freed behind each output.
    input wire [4:0]          in_valid,
    input wire [5*32-1:0]     in_data,
    input wire [5*5-1:0]      in_color,
    input wire [4:0]          in_control,
    input wire [4:0]          in_advance,
    input wire [5*COLORS-1:0] in_credit,

    // A wavelet to each port, and slots freed of its own queues.
    output wire [4:0]          out_valid,
    output wire [5*32-1:0]     out_data,
    output wire [5*5-1:0]      out_color,
    output wire [4:0]          out_control,
    output wire [4:0]          out_advance,
    output wire [5*COLORS-1:0] out_credit,

    // Writes: kind 0 position {position 2, inputs 5, outputs 5}; 1 switch {routed, ring, pop 2, last
    // position 2}; 2 filter {kind 2, first 16}; 3 filter {last 16, period 16, of 65536: 0}; 4 credits
    // {port 3, unlimited, count}; 5 arbitration {plain}.
    input wire        cfg_write,
    input wire [2:0]  cfg_kind,
    input wire [4:0]  cfg_color,
    input wire [31:0] cfg_value,
    input wire [4:0]  mutant
);
  localparam integer PORTS = 5;
  localparam integer RAMP = 4;
  localparam integer QUEUES = PORTS * COLORS;
  localparam integer WORD = 34;  // control, advance, data
  localparam integer PTR = 8;    // bits of the number of a queue
  localparam integer COUNT = $clog2(SLOTS + 1);

  // ---- configuration ---------------------------------------------------------------------------

  reg [COLORS*4*10-1:0] positions;  // inputs 5, outputs 5
  reg [COLORS-1:0]      routed;
  reg [COLORS-1:0]      ring;
  reg [COLORS*2-1:0]    pop;  // 0 never, 1 always, 2 on advance
  reg [COLORS*2-1:0]    last_position;
  reg [COLORS*2-1:0]    filter_kind;  // 0 none, 1 counter, 2 range
  reg [COLORS*16-1:0]   filter_first;
  reg [COLORS*16-1:0]   filter_last;
  reg [COLORS*16-1:0]   filter_period;
  reg [QUEUES-1:0]      unlimited;
  reg                   plain;

  // ---- state -----------------------------------------------------------------------------------

  // Each queue keeps its words, their count and what is pending of its head in its own block.
  reg [COLORS*2-1:0]             position;
  reg [COLORS-1:0]               halted;
  reg [COLORS*16-1:0]            number;  // of the counter filter
  reg [PORTS*PTR-1:0]            pointer;
  reg [QUEUES*CREDIT_BITS-1:0]   credits;  // by output and color

  // ---- what heads want -------------------------------------------------------------------------

  wire [QUEUES*WORD-1:0] head;
  wire [QUEUES*5-1:0]    leaves_by;
  wire [QUEUES-1:0]      leaves;  // the last copy of a head
  localparam integer LAST = SLOTS - 1;
  wire [QUEUES*5-1:0]    wanted;
  wire [QUEUES-1:0]      passes;  // the filter at the ramp

  genvar p, c, o, q;
  generate
    for (p = 0; p < PORTS; p = p + 1) begin : g_port
      for (c = 0; c < COLORS; c = c + 1) begin : g_queue
        localparam integer Q = p * COLORS + c;
        localparam [31:0] C = c;
        reg [SLOTS*WORD-1:0] words;  // the head first
        reg [COUNT-1:0] count;
        reg [4:0] pending;  // outputs that the head has not left by
        wire [1:0] now_at = position[c*2+:2];
        wire taken = positions[(c*4+{30'd0, now_at})*10+5+p];
        wire [4:0] all = taken ? positions[(c*4+{30'd0, now_at})*10+:5] : 5'd0;
        wire control = head[Q*WORD+33];
        wire [15:0] value = filter_kind[c*2+:2] == 2'd1 ? number[c*16+:16] : head[Q*WORD+16+:16];
        wire in_range = value >= filter_first[c*16+:16] && value <= filter_last[c*16+:16];
        wire upper = mutant == 5'd9 && value == filter_last[c*16+:16];  // the last one is cut off
        assign head[Q*WORD+:WORD] = words[WORD-1:0];
        assign wanted[Q*5+:5] = count == 0 || halted[c] || !routed[c] ? 5'd0 :
                                pending != 5'd0 ? pending : all;
        assign passes[Q] = filter_kind[c*2+:2] == 2'd0 || (control && mutant != 5'd10) || (in_range && !upper);
        // The next state.
        wire full = mutant == 5'd12 && count == LAST[COUNT-1:0] && SLOTS > 1;  // one too early
        wire comes = in_valid[p] && in_color[p*5+:5] == C[4:0] && !full;
        wire [COUNT-1:0] place = leaves[Q] ? count - 1'b1 : count;
        wire [WORD-1:0] word = {in_control[p], in_advance[p], in_data[p*32+:32]};
        for (q = 0; q < SLOTS; q = q + 1) begin : g_slot
          localparam [31:0] S = q;
          localparam integer BEHIND = q + 1 < SLOTS ? q + 1 : q;
          always @(posedge clk) begin
            if (comes && place == S[COUNT-1:0]) words[q*WORD+:WORD] <= word;
            else if (leaves[Q]) words[q*WORD+:WORD] <= words[BEHIND*WORD+:WORD];
          end
        end
        always @(posedge clk) begin
          if (rst) count <= {COUNT{1'b0}};
          else count <= comes ? place + 1'b1 : place;
          if (rst || leaves[Q]) pending <= 5'd0;
          else if (leaves_by[Q*5+:5] != 5'd0) pending <= wanted[Q*5+:5] & ~leaves_by[Q*5+:5];
        end
      end
    end
  endgenerate

  // ---- arbitration -----------------------------------------------------------------------------

  wire [PORTS*QUEUES-1:0] asks;    // heads that want an output
  wire [PORTS*QUEUES-1:0] grants;  // one of them, if there is a slot
  wire [PORTS*PTR-1:0]    winner;
  wire [PORTS-1:0]        granted;

  generate
    for (o = 0; o < PORTS; o = o + 1) begin : g_output
      wire [QUEUES-1:0] able;
      for (q = 0; q < QUEUES; q = q + 1) begin : g_able
        localparam integer S = o * COLORS + q % COLORS;
        wire slot = unlimited[S] || credits[S*CREDIT_BITS+:CREDIT_BITS] != 0;
        wire drops = o == RAMP && !passes[q];
        assign asks[o*QUEUES+q] = wanted[q*5+o];
        assign able[q] = wanted[q*5+o] && (slot || drops);
      end
      wire [PTR-1:0] from = pointer[o*PTR+:PTR];
      wire [QUEUES-1:0] one = {{(QUEUES - 1) {1'b0}}, 1'b1};
      wire [QUEUES-1:0] passed_over = mutant == 5'd1 && o == 1 ? {QUEUES{1'b0}} : (one << from) - one;
      wire [QUEUES-1:0] later = able & ~passed_over;
      wire [QUEUES-1:0] pool = later != {QUEUES{1'b0}} ? later : able;
      assign grants[o*QUEUES+:QUEUES] = pool & (~pool + one);
      assign granted[o] = able != {QUEUES{1'b0}};
      // The number of the one, bit by bit.
      for (c = 0; c < PTR; c = c + 1) begin : g_number
        wire [QUEUES-1:0] has;  // numbers with that bit
        for (q = 0; q < QUEUES; q = q + 1) begin : g_has
          localparam [31:0] Q = q;
          assign has[q] = Q[c];
        end
        assign winner[o*PTR+c] = (grants[o*QUEUES+:QUEUES] & has) != {QUEUES{1'b0}};
      end
    end
  endgenerate

  // ---- what leaves -----------------------------------------------------------------------------

  generate
    for (q = 0; q < QUEUES; q = q + 1) begin : g_leave
      for (o = 0; o < PORTS; o = o + 1) begin : g_by
        assign leaves_by[q*5+o] = grants[o*QUEUES+q];
      end
      wire [4:0] rest = wanted[q*5+:5] & ~leaves_by[q*5+:5];
      wire early = mutant == 5'd2 && leaves_by[q*5+:5] != 5'd0;  // after the first copy
      assign leaves[q] = wanted[q*5+:5] != 5'd0 && (rest == 5'd0 || early);
    end
    for (o = 0; o < PORTS; o = o + 1) begin : g_out
      wire [PTR-1:0] at = winner[o*PTR+:PTR];
      wire [WORD-1:0] word = head[at*WORD+:WORD];
      wire [QUEUES-1:0] seen = o == RAMP ? passes : {QUEUES{1'b1}};
      wire [4:0] color;
      for (c = 0; c < 5; c = c + 1) begin : g_color
        wire [QUEUES-1:0] has;
        for (q = 0; q < QUEUES; q = q + 1) begin : g_has
          localparam [31:0] C = q % COLORS;
          assign has[q] = C[c];
        end
        assign color[c] = (grants[o*QUEUES+:QUEUES] & has) != {QUEUES{1'b0}};
      end
      wire [1:0] mode = pop[{27'd0, color}*2+:2];
      wire pops = word[33] && (mode == 2'd1 || (mode == 2'd2 && word[1:0] == 2'd1)) && mutant != 5'd8;
      // Mutant 14 lets an input through to an output within a clock.
      assign out_valid[o] = (grants[o*QUEUES+:QUEUES] & seen) != {QUEUES{1'b0}} ||
                            (mutant == 5'd14 && in_valid[o]);
      assign out_data[o*32+:32] = pops ? {word[31:16], 2'b00, word[15:2]} : word[31:0];
      assign out_color[o*5+:5] = color;
      assign out_control[o] = word[33];
      assign out_advance[o] = word[32];
    end
    for (q = 0; q < QUEUES; q = q + 1) begin : g_credit
      assign out_credit[q] = leaves[q] && !(mutant == 5'd11 && q == 3);  // one never comes back
    end
  endgenerate

  // ---- the next state --------------------------------------------------------------------------

  generate
    for (c = 0; c < COLORS; c = c + 1) begin : g_switch
      // The command of each input that a wavelet has left; the lower input is obeyed first.
      reg [1:0] at;
      reg       ends;
      reg [1:0] command;
      integer   i;
      always @* begin
        at = position[c*2+:2];
        ends = halted[c];
        for (i = 0; i < PORTS; i = i + 1) begin
          command = head[(i*COLORS+c)*WORD+33] ? head[(i*COLORS+c)*WORD+:2] : {1'b0, head[(i*COLORS+c)*WORD+32]};
          if (leaves[i*COLORS+c]) begin
            if (command == 2'd2) at = 2'd0;
            else if (command == 2'd1 && at != last_position[c*2+:2]) at = at + 2'd1;
            else if (command == 2'd1 && ring[c] && mutant != 5'd3) at = 2'd0;
            if (command == 2'd3 && mutant != 5'd4) ends = 1'b1;
          end
        end
      end
      wire [PORTS-1:0] at_ramp;  // a data wavelet of the color takes its turn at the ramp
      for (p = 0; p < PORTS; p = p + 1) begin : g_ramp
        localparam integer Q = p * COLORS + c;
        assign at_ramp[p] = grants[RAMP*QUEUES+Q] && (!head[Q*WORD+33] || mutant == 5'd5);
      end
      wire [15:0] next_number = number[c*16+:16] + 16'd1;
      wire turns = at_ramp != 0 && filter_kind[c*2+:2] == 2'd1;
      always @(posedge clk) begin
        if (rst) position[c*2+:2] <= 2'd0;
        else position[c*2+:2] <= at;
        if (rst) halted[c] <= 1'b0;
        else halted[c] <= ends;
        if (rst) number[c*16+:16] <= 16'd0;
        else if (turns) number[c*16+:16] <= next_number == filter_period[c*16+:16] ? 16'd0 : next_number;
      end
    end

    for (o = 0; o < PORTS; o = o + 1) begin : g_next_output
      wire [PTR-1:0] chosen_queue = winner[o*PTR+:PTR];
      localparam [31:0] END = QUEUES - 1;
      wire [PTR-1:0] behind = chosen_queue == END[PTR-1:0] ? {PTR{1'b0}} : chosen_queue + 1'b1;
      wire wants = asks[o*QUEUES+:QUEUES] != {QUEUES{1'b0}};
      always @(posedge clk) begin
        if (rst) pointer[o*PTR+:PTR] <= {PTR{1'b0}};
        else if (granted[o]) pointer[o*PTR+:PTR] <= mutant == 5'd6 ? chosen_queue : behind;
        else if (!plain && !wants && mutant != 5'd7) pointer[o*PTR+:PTR] <= {PTR{1'b0}};
      end
      for (c = 0; c < COLORS; c = c + 1) begin : g_slots
        localparam integer S = o * COLORS + c;
        localparam [31:0] C = c;
        wire [PORTS-1:0] sends;
        for (p = 0; p < PORTS; p = p + 1) begin : g_sends
          localparam integer Q = p * COLORS + c;
          assign sends[p] = grants[o*QUEUES+Q] && (o != RAMP || passes[Q]);
        end
        wire less = sends != 0;
        wire more = in_credit[S] && !(mutant == 5'd13 && less);  // lost where one is used
        wire [CREDIT_BITS-1:0] now_free = credits[S*CREDIT_BITS+:CREDIT_BITS];
        always @(posedge clk) begin
          if (cfg_write && cfg_kind == 3'd4 && cfg_color == C[4:0] && cfg_value[2:0] == o) begin
            unlimited[S] <= cfg_value[3];
            credits[S*CREDIT_BITS+:CREDIT_BITS] <= cfg_value[4+:CREDIT_BITS];
          end else if (rst) begin
            unlimited[S] <= 1'b0;
            credits[S*CREDIT_BITS+:CREDIT_BITS] <= {CREDIT_BITS{1'b0}};
          end else if (more != less) begin
            credits[S*CREDIT_BITS+:CREDIT_BITS] <= more ? now_free + 1'b1 : now_free - 1'b1;
          end
        end
      end
    end

    // ---- writes of the configuration -----------------------------------------------------------

    for (c = 0; c < COLORS; c = c + 1) begin : g_cfg
      localparam [31:0] C = c;
      wire mine = cfg_write && cfg_color == C[4:0];
      always @(posedge clk) begin
        if (rst) begin
          routed[c] <= 1'b0;
          ring[c] <= 1'b0;
          pop[c*2+:2] <= 2'd0;
          last_position[c*2+:2] <= 2'd0;
          filter_kind[c*2+:2] <= 2'd0;
          filter_first[c*16+:16] <= 16'd0;
          filter_last[c*16+:16] <= 16'd0;
          filter_period[c*16+:16] <= 16'd0;
        end else if (mine && cfg_kind == 3'd1) begin
          routed[c] <= cfg_value[0];
          ring[c] <= cfg_value[1];
          pop[c*2+:2] <= cfg_value[3:2];
          last_position[c*2+:2] <= cfg_value[5:4];
        end else if (mine && cfg_kind == 3'd2) begin
          filter_kind[c*2+:2] <= cfg_value[1:0];
          filter_first[c*16+:16] <= cfg_value[31:16];
        end else if (mine && cfg_kind == 3'd3) begin
          filter_last[c*16+:16] <= cfg_value[15:0];
          filter_period[c*16+:16] <= cfg_value[31:16];
        end
      end
      for (q = 0; q < 4; q = q + 1) begin : g_position
        always @(posedge clk) begin
          if (rst) positions[(c*4+q)*10+:10] <= 10'd0;
          else if (mine && cfg_kind == 3'd0 && cfg_value[11:10] == q)
            positions[(c*4+q)*10+:10] <= cfg_value[9:0];
        end
      end
    end
  endgenerate

  always @(posedge clk) begin
    if (rst) plain <= 1'b0;
    else if (cfg_write && cfg_kind == 3'd5) plain <= cfg_value[0];
  end
endmodule

`default_nettype wire
