// SPDX-License-Identifier: Apache-2.0
// A compute engine with its memory, as docs/timing.md ("The compute engine, cycle by cycle") describes it, for programs of one task:
// vector operations of fp32 on the main thread and one microthread over lines of memory, values and wavelets; scalar
// additions, receive, jumps. That is what the chain reduce and the weight-streaming AXPY run. Contract: docs/cosim.md.
//
// One step a clock: operands are read, computed and written within it; every output is a function of the state (Moore). Bank
// conflicts stall it as single-ported banks would. mutant != 0 plants a fault.
//
// In the subset that Verilator, Icarus and Yosys share: arrays are read by continuous assignments only.
`default_nettype none

module wse_tile #(
    parameter integer WORDS = 12288,       // of memory: 48 KB
    parameter integer INSTRUCTIONS = 512,
    parameter integer INPUTS = 8,          // queues
    parameter integer OUTPUTS = 6,
    parameter integer SLOTS = 16           // of a queue, a power of two
) (
    input wire clk,
    input wire rst,

    // From the router: a wavelet, and slots freed behind the ramp by color.
    input wire        in_valid,
    input wire [31:0] in_data,
    input wire [4:0]  in_color,
    input wire        in_control,
    input wire        in_advance,
    input wire [23:0] in_credit,

    // To the router: a wavelet, and slots freed of its own queues.
    output wire        out_valid,
    output wire [31:0] out_data,
    output wire [4:0]  out_color,
    output wire        out_control,
    output wire        out_advance,
    output wire [23:0] out_credit,

    output wire busy,      // something happens now or later, whatever comes
    output wire finished,  // the task and its operations have ended
    output wire fault,     // a step past the memory, or a wavelet without a queue: it has stopped

    // Writes: kind 0 memory word; 1 instruction word {instruction, word 3}; 2 register; 3 input queue {used, color 5}; 4 output
    // queue {credits 8, depth 8, used, color 5} from bit 0: color, used 5, depth 15..8, credits 23..16; 5 timing: 0 task start,
    // 1 scalar, 2 write delay, 3 the output queue whose turn is last; 6 launch.
    input wire        cfg_write,
    input wire [2:0]  cfg_kind,
    input wire [15:0] cfg_address,
    input wire [31:0] cfg_value,

    // Reads, at any time: kind 0 memory word; 1 counter.
    input wire        probe_kind,
    input wire [15:0] probe_address,
    output wire [31:0] probe_data,

    input wire [4:0] mutant
);
  localparam integer IW = INPUTS > 1 ? $clog2(INPUTS) : 1;
  localparam integer OW = OUTPUTS > 1 ? $clog2(OUTPUTS) : 1;
  localparam integer SW = $clog2(SLOTS);
  localparam integer PW = $clog2(INSTRUCTIONS);
  localparam integer MW = $clog2(WORDS);
  localparam integer COUNTERS = 18;

  // Kinds of operands and of instructions.
  localparam [2:0] REGISTER = 3'd2, FAR = 3'd3, NEAR = 3'd4, FABRIC_IN = 3'd5, FABRIC_OUT = 3'd6;
  localparam [2:0] VECTOR = 3'd1, SCALAR = 3'd2, RECEIVE = 3'd3, JUMP = 3'd4, JUMP_ZERO = 3'd5, JUMP_NOT_ZERO = 3'd6;
  localparam [2:0] OP_ADD = 3'd1, OP_SUB = 3'd2;

  wire main_first = mutant == 5'd1;       // the main thread issues before the microthread, always
  wire short_output = mutant == 5'd2;     // an output queue is full one wavelet early
  wire keep_slot = mutant == 5'd3;        // a dropped control wavelet frees no slot
  wire no_stall = mutant == 5'd4;         // banks have no conflicts
  wire write_at_once = mutant == 5'd5;    // the banks see the write of the step itself
  wire free_write = mutant == 5'd6;       // the banks do not see writes
  wire early_task = mutant == 5'd7;       // a task starts a cycle early
  wire no_turn = mutant == 5'd8;          // the lowest output queue gives first, always
  wire no_offset = mutant == 5'd9;        // address registers do not count
  wire lose_advance = mutant == 5'd10;    // the last wavelet does not advance
  wire take_control = mutant == 5'd11;    // receive takes control wavelets
  wire odd_pair = mutant == 5'd12;        // a pair where one element is left
  wire overwrite = mutant == 5'd13;       // a busy microthread is given the next operation
  wire eager_step = mutant == 5'd14;      // a step does not wait for room in its output queue
  wire stuck_credit = mutant == 5'd15;    // a credit that comes when none was left is lost
  wire late_step = mutant == 5'd16;       // no step in the cycle of the issue
  wire [3:0] alu_mutant = mutant[4] ? mutant[3:0] : 4'd0;  // 17 .. 23: faults 1 .. 7 of wse_fma

  // ---- state -----------------------------------------------------------------------------------

  reg [31:0] memory [0:WORDS-1];
  reg [31:0] code [0:INSTRUCTIONS*8-1];  // seven words an instruction
  reg [32:0] in_words [0:INPUTS*SLOTS-1];   // control, data
  reg [33:0] out_words [0:OUTPUTS*SLOTS-1];  // advance, control, data
  reg [16*32-1:0] registers;
  reg [COUNTERS*32-1:0] counters;

  reg [INPUTS*6-1:0]      in_route;   // used, color
  reg [INPUTS*SW-1:0]     in_head;
  reg [INPUTS*(SW+1)-1:0] in_count;
  reg [OUTPUTS*6-1:0]     out_route;
  reg [OUTPUTS*8-1:0]     out_depth;
  reg [OUTPUTS*8-1:0]     out_credits;
  reg [OUTPUTS*SW-1:0]    out_head;
  reg [OUTPUTS*(SW+1)-1:0] out_count;
  reg [OW-1:0]            last_output;

  reg [15:0] task_start, scalar_cycles, write_delay;
  reg running, stopped;
  reg pending;  // the task has not begun
  reg task_on;
  reg [PW-1:0] pc;
  reg [15:0] main_wait;  // cycles in which the main thread issues nothing
  reg [2:0] stall;       // cycles in which nothing is issued: banks are busy
  reg last_thread;
  reg [1:0] active;      // threads with a vector operation: main, microthread
  reg [PW-1:0] micro_pc;
  reg [2*32-1:0] done, left;
  reg [2*4*32-1:0] values;  // of result, a, b, c: address or bits

  // ---- output queues: the next one in turn gives ----------------------------------------------------

  wire [OUTPUTS-1:0] can_give;
  genvar g;
  generate
    for (g = 0; g < OUTPUTS; g = g + 1) begin : g_give
      assign can_give[g] = out_count[g*(SW+1)+:SW+1] != 0 && out_credits[g*8+:8] != 0;
    end
  endgenerate
  reg [OW-1:0] giver;
  integer gi;
  always @(*) begin
    giver = {OW{1'b0}};
    for (gi = OUTPUTS - 1; gi >= 0; gi = gi - 1) if (can_give[gi]) giver = gi[OW-1:0];
    if (!no_turn)
      for (gi = OUTPUTS - 1; gi >= 0; gi = gi - 1) if (can_give[gi] && gi[OW-1:0] > last_output) giver = gi[OW-1:0];
  end
  wire gives = running && !stopped && can_give != 0;
  wire [33:0] given = out_words[{giver, out_head[giver*SW+:SW]}];
  assign out_valid = gives;
  assign out_data = given[31:0];
  assign out_control = given[32];
  assign out_advance = given[33];
  assign out_color = out_route[giver*6+:5];

  // ---- input queues: control wavelets that nobody waits for are dropped --------------------------------

  wire [INPUTS-1:0] held, data_held, dropped;
  wire [INPUTS*32-1:0] heads;
  generate
    for (g = 0; g < INPUTS; g = g + 1) begin : g_head
      wire [32:0] head = in_words[g*SLOTS+{{(32-SW){1'b0}}, in_head[g*SW+:SW]}];
      assign heads[g*32+:32] = head[31:0];
      assign held[g] = in_count[g*(SW+1)+:SW+1] != 0;
      assign dropped[g] = running && !stopped && held[g] && head[32] && !take_control;
      assign data_held[g] = held[g] && (!head[32] || take_control);
    end
  endgenerate

  // ---- instructions: of the main thread and of the microthread ------------------------------------------

  wire starts = running && !stopped && !task_on && pending;
  wire on = task_on || starts;
  wire [15:0] start_wait = early_task && task_start != 0 ? task_start - 16'd1 : task_start;
  wire [15:0] wait_now = starts ? start_wait : main_wait;

  // Word 0: opcode 2..0, op 5..3, of integers 6, on the microthread 8, target 25..16, length in a register 26, the last
  // wavelet advances 27, two elements a step 28. Word 1, a byte each for result, a, b, c: kind 2..0, register 6..3, address
  // register 7. Words 2 .. 5: address, bits or queue of each. Word 6: length.
  wire [31:0] main_op = code[{pc, 3'd0}], main_kinds = code[{pc, 3'd1}], main_length = code[{pc, 3'd6}];
  wire [31:0] micro_op = code[{micro_pc, 3'd0}], micro_kinds = code[{micro_pc, 3'd1}];
  wire [4*32-1:0] main_given = {code[{pc, 3'd5}], code[{pc, 3'd4}], code[{pc, 3'd3}], code[{pc, 3'd2}]};
  wire [4*32-1:0] micro_given =
      {code[{micro_pc, 3'd5}], code[{micro_pc, 3'd4}], code[{micro_pc, 3'd3}], code[{micro_pc, 3'd2}]};

  // An operation that starts takes its values, with registers and address registers, as they are.
  wire [4*32-1:0] fresh;
  generate
    for (g = 0; g < 4; g = g + 1) begin : g_fresh
      wire [2:0] kind = main_kinds[g*8+:3];
      wire [31:0] register = registers[main_kinds[g*8+3+:4]*32+:32];
      wire offset = (kind == FAR || kind == NEAR) && main_kinds[g*8+7] && !no_offset;
      assign fresh[g*32+:32] = kind == REGISTER ? register : main_given[g*32+:32] + (offset ? register : 32'd0);
    end
  endgenerate
  wire [31:0] fresh_length = main_op[26] ? registers[main_length[3:0]*32+:32] : main_length;

  // ---- who can issue --------------------------------------------------------------------------------

  // Operands of a step that are in queues, and room for its result; the kinds and queues of an instruction.
  function automatic has_inputs(input [31:0] kinds, input [4*32-1:0] where, input [INPUTS-1:0] there);
    integer o;
    begin
      has_inputs = 1'b1;
      for (o = 1; o < 4; o = o + 1)
        if (kinds[o*8+:3] == FABRIC_IN && !there[where[o*32+:IW]]) has_inputs = 1'b0;
    end
  endfunction
  wire [OUTPUTS-1:0] room;
  generate
    for (g = 0; g < OUTPUTS; g = g + 1) begin : g_room
      wire [7:0] count = {{(7-SW){1'b0}}, out_count[g*(SW+1)+:SW+1]};
      assign room[g] = count + (short_output ? 8'd1 : 8'd0) < out_depth[g*8+:8] || eager_step && count < SLOTS[7:0];
    end
  endgenerate
  wire main_ready = has_inputs(main_kinds, main_given, data_held) && (main_kinds[2:0] != FABRIC_OUT || room[main_given[OW-1:0]]);
  wire micro_ready =
      has_inputs(micro_kinds, micro_given, data_held) && (micro_kinds[2:0] != FABRIC_OUT || room[micro_given[OW-1:0]]);

  wire [2:0] opcode = main_op[2:0];
  wire for_micro = main_op[8];
  wire main_issues = opcode == VECTOR ? !for_micro || !active[1] || overwrite :
                     opcode == RECEIVE ? data_held[main_given[1*32+:IW]] : 1'b1;
  wire free = running && !stopped && stall == 0;
  wire main_can = free && (active[0] ? main_ready : on && wait_now == 0 && main_issues);
  wire micro_can = free && active[1] && micro_ready;
  wire micro_turn = !main_can || !last_thread && !main_first;
  wire micro_issues = micro_can && micro_turn;
  wire main_does = main_can && !micro_issues;

  wire new_vector = main_does && !active[0] && opcode == VECTOR;
  wire new_main = new_vector && !for_micro;
  wire new_micro = new_vector && for_micro;
  wire main_steps = main_does && (active[0] || new_main && fresh_length != 0 && main_ready && !late_step);
  wire steps = main_steps || micro_issues;
  wire simple = main_does && !active[0] && opcode != VECTOR;
  wire receives = simple && opcode == RECEIVE;

  // ---- a step ---------------------------------------------------------------------------------------

  wire [31:0] step_op = micro_issues ? micro_op : main_op;
  wire [31:0] step_kinds = micro_issues ? micro_kinds : main_kinds;
  wire [4*32-1:0] step_given = micro_issues ? micro_given : main_given;
  wire [4*32-1:0] step_values = micro_issues ? values[4*32+:4*32] : active[0] ? values[0+:4*32] : fresh;
  wire [31:0] step_done = micro_issues ? done[32+:32] : active[0] ? done[0+:32] : 32'd0;
  wire [31:0] step_left = micro_issues ? left[32+:32] : active[0] ? left[0+:32] : fresh_length;
  wire two = step_op[28] && (step_left > 32'd1 || odd_pair);
  wire [31:0] count = two ? 32'd2 : 32'd1;
  wire last_step = step_left == count;

  wire [4*32-1:0] at;  // byte addresses of result, a, b, c
  wire [3:0] in_memory, far;
  wire [4*2*32-1:0] operand;  // by operand and lane
  generate
    for (g = 0; g < 4; g = g + 1) begin : g_operand
      wire [2:0] kind = step_kinds[g*8+:3];
      wire [MW-1:0] first = at[g*32+2+:MW];
      wire [MW-1:0] second = first + 1'b1;
      assign at[g*32+:32] = step_values[g*32+:32] + {step_done[29:0], 2'd0};
      assign in_memory[g] = kind == FAR || kind == NEAR;
      assign far[g] = kind == FAR;
      wire [31:0] outside = kind == FABRIC_IN ? heads[step_given[g*32+:IW]*32+:32] : step_values[g*32+:32];
      assign operand[(2*g)*32+:32] = in_memory[g] ? memory[first] : outside;
      assign operand[(2*g+1)*32+:32] = in_memory[g] ? memory[second] : outside;
    end
  endgenerate

  wire [31:0] result_0, result_1;
  wse_alu alu_0 (
      .op(step_op[5:3]), .a(operand[2*32+:32]), .b(operand[4*32+:32]), .c(operand[6*32+:32]), .y(result_0),
      .mutant(alu_mutant)
  );
  wse_alu alu_1 (
      .op(step_op[5:3]), .a(operand[3*32+:32]), .b(operand[5*32+:32]), .c(operand[7*32+:32]), .y(result_1),
      .mutant(alu_mutant)
  );

  // Past the end of the memory, or not at a word.
  function automatic past_end(input [3:0] used, input [4*32-1:0] addresses, input [31:0] bytes);
    integer o;
    begin
      past_end = 1'b0;
      for (o = 0; o < 4; o = o + 1)
        if (used[o] && (addresses[o*32+:2] != 0 || addresses[o*32+:32] + bytes > WORDS * 4)) past_end = 1'b1;
    end
  endfunction
  wire past = steps && past_end(in_memory, at, {count[29:0], 2'd0});

  // ---- banks: pairs that reads and the delayed write claim, first fit over cycles -------------------------

  wire [31:0] behind = write_at_once ? 32'd0 : {16'd0, write_delay} * count;
  wire writes_now = far[0] && step_done >= behind && !free_write;
  // An aligned access claims its pair, two words from an odd one on the next pair too.
  function automatic [3:0] claim(input [2:0] word, input wide);
    reg [1:0] next;
    begin
      next = word[2:1] + 2'd1;
      claim = 4'd1 << word[2:1] | (wide && word[0] ? 4'd1 << next : 4'd0);
    end
  endfunction
  wire [3:0] claim_0 = writes_now ? claim(at[4:2] - behind[2:0], two) : 4'd0;
  wire [3:0] claim_1 = far[1] ? claim(at[36:34], two) : 4'd0;
  wire [3:0] claim_2 = far[2] ? claim(at[68:66], two) : 4'd0;
  wire [3:0] claim_3 = far[3] ? claim(at[100:98], two) : 4'd0;
  // At most three of the four ask. Each goes to the first cycle that has its pairs free.
  reg [3*4-1:0] taken;
  reg [2:0] used;
  integer k;
  always @(*) begin
    taken = 12'd0;
    used = 3'd1;
    for (k = 0; k < 4; k = k + 1) begin : fit
      reg [3:0] wants;
      wants = k == 0 ? claim_0 : k == 1 ? claim_1 : k == 2 ? claim_2 : claim_3;
      if ((taken[3:0] & wants) == 0) taken[3:0] = taken[3:0] | wants;
      else if ((taken[7:4] & wants) == 0) begin
        taken[7:4] = taken[7:4] | wants;
        if (used < 3'd2) used = 3'd2;
      end else begin
        taken[11:8] = taken[11:8] | wants;
        used = 3'd3;
      end
    end
  end
  wire [2:0] cycles = no_stall ? 3'd1 : used;

  // ---- what leaves and enters queues -------------------------------------------------------------------

  reg [INPUTS-1:0] popped;
  integer p;
  always @(*) begin
    popped = dropped;
    for (p = 1; p < 4; p = p + 1)
      if (steps && step_kinds[p*8+:3] == FABRIC_IN) popped[step_given[p*32+:IW]] = 1'b1;
    if (receives) popped[main_given[32+:IW]] = 1'b1;
  end
  reg [23:0] freed;
  integer f;
  always @(*) begin
    freed = 24'd0;
    for (f = 0; f < INPUTS; f = f + 1)
      if (popped[f] && !(keep_slot && dropped[f])) freed = freed | 24'd1 << in_route[f*6+:5];
  end
  assign out_credit = freed;
  wire pushes = steps && !past && step_kinds[2:0] == FABRIC_OUT;
  wire [OW-1:0] pushed_queue = step_given[OW-1:0];
  wire [33:0] pushed = {step_op[27] && last_step && !lose_advance, 1'b0, result_0};

  reg [IW-1:0] arriving;
  reg arrives, lost;
  integer a;
  always @(*) begin
    arriving = {IW{1'b0}};
    arrives = 1'b0;
    for (a = 0; a < INPUTS; a = a + 1)
      if (in_valid && in_route[a*6+:6] == {1'b1, in_color}) begin
        arriving = a[IW-1:0];
        arrives = 1'b1;
      end
    lost = in_valid && !arrives;
  end

  // ---- scalar instructions -------------------------------------------------------------------------------

  wire [31:0] sum = main_op[5:3] == OP_ADD ? fresh[32+:32] + fresh[64+:32] :
                    main_op[5:3] == OP_SUB ? fresh[32+:32] - fresh[64+:32] : fresh[32+:32];
  wire jumps = opcode == JUMP || opcode == JUMP_ZERO && fresh[32+:32] == 0 || opcode == JUMP_NOT_ZERO && fresh[32+:32] != 0;
  wire ends = simple && opcode == 3'd0;
  wire sets = receives || simple && opcode == SCALAR;
  wire [31:0] set_to = receives ? heads[main_given[32+:IW]*32+:32] : sum;
  wire moves_on = simple && !ends || new_micro || main_steps && last_step || new_main && fresh_length == 0;

  // ---- the clock edge ------------------------------------------------------------------------------------

  integer q;
  always @(posedge clk) begin
    if (rst) begin
      registers <= {16 * 32{1'b0}};
      in_route <= {INPUTS * 6{1'b0}};
      in_head <= {INPUTS * SW{1'b0}};
      in_count <= {INPUTS * (SW + 1) {1'b0}};
      out_route <= {OUTPUTS * 6{1'b0}};
      out_depth <= {OUTPUTS * 8{1'b0}};
      out_credits <= {OUTPUTS * 8{1'b0}};
      out_head <= {OUTPUTS * SW{1'b0}};
      out_count <= {OUTPUTS * (SW + 1) {1'b0}};
      last_output <= {OW{1'b0}};
      task_start <= 16'd3;
      scalar_cycles <= 16'd1;
      write_delay <= 16'd3;
      running <= 1'b0;
      stopped <= 1'b0;
      pending <= 1'b0;
      task_on <= 1'b0;
      pc <= {PW{1'b0}};
      micro_pc <= {PW{1'b0}};
      main_wait <= 16'd0;
      stall <= 3'd0;
      last_thread <= 1'b0;
      active <= 2'd0;
      done <= 64'd0;
      left <= 64'd0;
      values <= 256'd0;
    end else if (cfg_write) begin
      case (cfg_kind)
        3'd2: registers[cfg_address[3:0]*32+:32] <= cfg_value;
        3'd3: in_route[cfg_address[IW-1:0]*6+:6] <= cfg_value[5:0];
        3'd4: begin
          out_route[cfg_address[OW-1:0]*6+:6] <= cfg_value[5:0];
          out_depth[cfg_address[OW-1:0]*8+:8] <= cfg_value[15:8];
          out_credits[cfg_address[OW-1:0]*8+:8] <= cfg_value[23:16];
        end
        3'd5: begin
          if (cfg_address[1:0] == 2'd0) task_start <= cfg_value[15:0];
          if (cfg_address[1:0] == 2'd1) scalar_cycles <= cfg_value[15:0];
          if (cfg_address[1:0] == 2'd2) write_delay <= cfg_value[15:0];
          if (cfg_address[1:0] == 2'd3) last_output <= cfg_value[OW-1:0];
        end
        3'd6: begin
          running <= 1'b1;
          pending <= 1'b1;
        end
        default: ;
      endcase
    end else if (running && !stopped) begin
      stopped <= past || lost;
      // Queues.
      for (q = 0; q < INPUTS; q = q + 1) begin
        in_head[q*SW+:SW] <= in_head[q*SW+:SW] + {{(SW-1){1'b0}}, popped[q]};
        in_count[q*(SW+1)+:SW+1] <=
            in_count[q*(SW+1)+:SW+1] - {{SW{1'b0}}, popped[q]} + {{SW{1'b0}}, arrives && arriving == q[IW-1:0]};
      end
      for (q = 0; q < OUTPUTS; q = q + 1) begin
        out_head[q*SW+:SW] <= out_head[q*SW+:SW] + {{(SW-1){1'b0}}, gives && giver == q[OW-1:0]};
        out_count[q*(SW+1)+:SW+1] <= out_count[q*(SW+1)+:SW+1] - {{SW{1'b0}}, gives && giver == q[OW-1:0]} +
                                     {{SW{1'b0}}, pushes && pushed_queue == q[OW-1:0]};
        out_credits[q*8+:8] <= out_credits[q*8+:8] - {7'd0, gives && giver == q[OW-1:0]} +
                               {7'd0, out_route[q*6+5] && in_credit[out_route[q*6+:5]] &&
                                      !(stuck_credit && out_credits[q*8+:8] == 0)};
      end
      if (gives) last_output <= giver;
      // The main thread.
      if (starts) pending <= 1'b0;
      task_on <= on && !ends;
      if (moves_on) pc <= simple && jumps ? main_op[16+:PW] : pc + 1;
      main_wait <= simple ? scalar_cycles - 16'd1 : wait_now != 0 ? wait_now - 16'd1 : 16'd0;
      if (sets) registers[main_kinds[6:3]*32+:32] <= set_to;
      // Vector operations.
      if (main_does) last_thread <= 1'b0;
      if (micro_issues) last_thread <= 1'b1;
      if (new_main) begin
        active[0] <= fresh_length != 0;
        values[0+:128] <= fresh;
        done[0+:32] <= 32'd0;
        left[0+:32] <= fresh_length;
      end
      if (new_micro) begin
        active[1] <= fresh_length != 0;
        micro_pc <= pc;
        values[128+:128] <= fresh;
        done[32+:32] <= 32'd0;
        left[32+:32] <= fresh_length;
      end
      if (main_steps) begin
        done[0+:32] <= step_done + count;
        left[0+:32] <= step_left - count;
        if (last_step) active[0] <= 1'b0;
      end
      if (micro_issues) begin
        done[32+:32] <= step_done + count;
        left[32+:32] <= step_left - count;
        if (last_step) active[1] <= 1'b0;
      end
      stall <= steps ? cycles - 3'd1 : stall != 0 ? stall - 3'd1 : 3'd0;
    end
  end

  // Arrays, each with one write port a word.
  always @(posedge clk) begin
    if (cfg_write && cfg_kind == 3'd1) code[cfg_address[PW+2:0]] <= cfg_value;
  end
  wire writes = !cfg_write && steps && !past && in_memory[0];
  wire [MW-1:0] write_first = at[2+:MW];
  wire [MW-1:0] write_second = write_first + 1'b1;
  always @(posedge clk) begin
    if (cfg_write && cfg_kind == 3'd0) memory[cfg_address[MW-1:0]] <= cfg_value;
    if (writes) memory[write_first] <= result_0;
    if (writes && two) memory[write_second] <= result_1;
  end
  wire [SW-1:0] in_place = in_head[arriving*SW+:SW] + in_count[arriving*(SW+1)+:SW];
  wire [SW-1:0] out_place = out_head[pushed_queue*SW+:SW] + out_count[pushed_queue*(SW+1)+:SW];
  always @(posedge clk) begin
    if (arrives && !cfg_write) in_words[{arriving, in_place}] <= {in_control, in_data};
  end
  always @(posedge clk) begin
    if (pushes && !cfg_write) out_words[{pushed_queue, out_place}] <= pushed;
  end

  assign busy = running && !stopped &&
                (gives || dropped != 0 || starts || main_does || micro_issues || stall != 0 || on && !active[0] && wait_now != 0);
  assign finished = running && !pending && !task_on && active == 0;
  assign fault = stopped;

  // ---- counters ------------------------------------------------------------------------------------------

  // 0 cycle, 1 first issue + 1, 2 last issue + 1, 3 end of the last step, 4 cycles with an issue, 5 elements, 6 of multiplications,
  // 7 steps, 8 cycles lost to banks, 9 reads of 64 bits, 10 writes of 64, 11 reads of 32, 12 writes of 32, 13 operands beside the
  // datapath, 14 end of the last issue, 15 flops, 16 elements of integers, 17 tasks and
  // microthreads that began, wavelets received.
  wire issues = main_does || micro_issues;
  wire multiplies = step_op[5:3] == 3'd3 || step_op[5:3] == 3'd4;
  wire [31:0] flops_each = step_op[5:3] == 3'd4 ? 32'd2 : step_op[5:3] == 3'd0 || step_op[5:3] == 3'd5 || step_op[6] ? 32'd0 : 32'd1;
  wire [31:0] clock = counters[0+:32];
  wire [31:0] step_end = clock + {29'd0, cycles};
  wire [31:0] issue_end = steps ? step_end : clock + 32'd1;
  wire [31:0] reads = {30'd0, {1'b0, far[1]} + {1'b0, far[2]} + {1'b0, far[3]}};
  wire [31:0] nears = {29'd0, {2'd0, in_memory[0] && !far[0]} + {2'd0, in_memory[1] && !far[1]} +
                              {2'd0, in_memory[2] && !far[2]} + {2'd0, in_memory[3] && !far[3]}};
  always @(posedge clk) begin
    if (rst) begin
      counters <= {COUNTERS * 32{1'b0}};
    end else if (running && !stopped && !cfg_write) begin
      counters[0+:32] <= clock + 32'd1;
      counters[17*32+:32] <= counters[17*32+:32] + {31'd0, starts} + {31'd0, receives || new_micro};
      if (issues) begin
        if (counters[1*32+:32] == 0) counters[1*32+:32] <= clock + 32'd1;
        counters[2*32+:32] <= clock + 32'd1;
        counters[4*32+:32] <= counters[4*32+:32] + 32'd1;
        counters[14*32+:32] <= issue_end;
      end
      if (steps) begin
        counters[3*32+:32] <= step_end;
        counters[5*32+:32] <= counters[5*32+:32] + count;
        if (multiplies) counters[6*32+:32] <= counters[6*32+:32] + count;
        counters[7*32+:32] <= counters[7*32+:32] + 32'd1;
        counters[8*32+:32] <= counters[8*32+:32] + {29'd0, cycles - 3'd1};
        if (two) counters[9*32+:32] <= counters[9*32+:32] + reads;
        if (two && far[0]) counters[10*32+:32] <= counters[10*32+:32] + 32'd1;
        if (!two) counters[11*32+:32] <= counters[11*32+:32] + reads;
        if (!two && far[0]) counters[12*32+:32] <= counters[12*32+:32] + 32'd1;
        counters[13*32+:32] <= counters[13*32+:32] + nears;
        counters[15*32+:32] <= counters[15*32+:32] + count * flops_each;
        if (step_op[6]) counters[16*32+:32] <= counters[16*32+:32] + count;
      end
    end
  end

  // Bits that need not be looked at: of the largest configuration, or read whole for the sake of plain indices.
  wire unused = &{1'b0, in_advance, cfg_address, probe_address, main_op, main_length, step_op, operand[63:0], 1'b0};

  assign probe_data = probe_kind ? counters[probe_address[4:0]*32+:32] : memory[probe_address[MW-1:0]];
endmodule

`default_nettype wire
