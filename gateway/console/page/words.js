// What the page says, in two languages, and how it writes numbers, money and times.

const EN = {
  skip: "Skip to the lots", logout: "Log out", language: "中文", languageLabel: "用中文显示",
  loginTitle: "Log in", loginHow: "Open the link that was printed when the console started, or paste its token here.",
  token: "Token", login: "Log in", wrongToken: "This is not the token of the console that runs now.",
  lots: "Lots", lot: "Lot", state: "State", places: "Places", alarms: "Alarms", backlog: "Backlog", lastHour: "Last hour",
  clock: "Clock", lotsCaption: "All lots, worst first", search: "Search", searchHint: "Lot or gateway",
  troubleOnly: "Only lots with trouble", more: (n) => `Show all ${n}`,
  foundSome: (n, all) => `${n} of ${all} lots, worst first`, foundNone: "No lot matches.", nothing: "No gateway has been heard of yet.",
  totalLots: "Lots", totalTrouble: "With trouble", totalInside: "Vehicles inside", totalFree: "Free places", totalHour: "Billed in the last hour",
  online: "online", offline: "stopped", lost: "not reachable", unknown: "unknown",
  free: (n, all) => `${n} of ${all} free`, inside: (n) => `${n} inside`, noPlaces: "no count yet",
  records: (n) => `${n} waiting`, upToDate: "up to date", cars: (n) => `${n} out`,
  clockGood: "good", ahead: (t) => `${t} ahead`, behind: (t) => `${t} behind`,
  urgent: "urgent", warning: "warning", info: "note", none: "none", open: "open", closed: "closed", moving: "moving", fault: "fault",
  joined: "answers", silent: "does not answer", refused: "refused", entry: "entry", exit: "exit",
  ago: (t) => `${t} ago`, since: (t) => `for ${t}`, now: "now", unheard: "nothing heard yet",
  s: "s", min: "min", h: "h", d: "d",
  live: "Live", reading: "Connecting…",
  lostPage: (t) => `Connection to the console lost. What you see is ${t} old. Trying again…`,
  lostBroker: (t) => `The console has no connection to the broker since ${t}. What you see may have changed. Trying again…`,
  back: "All lots", gone: "This gateway has not been heard of.",
  occupancy: "Occupancy", money: "Money", lanes: "Lanes", events: "What happened", gateway: "Gateway",
  noAlarms: "No open alarm.", remedy: "What to do", noLanes: "This lot has told of no lane yet.", noEvents: "Nothing since this console started.",
  barrier: "Barrier", node: "Node", last: "Last", time: "Time", lane: "Lane", event: "Event", plate: "Plate", amount: "Amount",
  taken: "taken", freeWord: "free", unknownWord: "unknown",
  plotPlaces: "Vehicles inside by time", plotMoney: "Billed at the exits by time",
  plotNow: (n, low, high) => `Now ${n}; lowest ${low}, highest ${high} in the time shown.`,
  plotSum: (sum, n) => `${sum} for ${n} vehicles in the time shown.`,
  plotStart: (t) => `Known since ${t}: topics keep only the last value.`,
  moneyNote: "As heard live at the exits; the ledger has the exact amounts.",
  bays: "Bays", tariff: "Tariff", version: "Release", key: "Record key", chain: "Records sent, receipted", rejected: "Unreadable messages",
  numbers: "Numbers heard", lanesBad: (n) => (n === 1 ? "1 lane in trouble" : `${n} lanes in trouble`),
  rss: "Memory", disk_free: "Disk free", cpu_temperature: "Processor", rss_peak: "Memory at most", cpu: "Processor time", connections: "Connections since the start",
  act: "Actions", openLane: "Raise barrier", holdLane: "Keep up", releaseLane: "Let fall", recount: "Correct the count", validate: "Free for a day",
  refund: "Refund", askRefund: "Give back a part of a paid bill, or all of it; the city pays it and says so.", sessionField: "Stay", amountField: "Amount",
  voidBill: "Void a bill", askVoid: "Bring a stay's bill to nothing; what was paid for it is due back, and the city pays it.",
  block: "Block a plate", unblock: "Unblock a plate", asked: "What you asked for", noneAsked: "Nothing yet.",
  askOpen: (lane) => `Raise the barrier of ${lane} for one vehicle. Whoever leaves still owes.`,
  askHold: (lane) => `Keep the barrier of ${lane} up until it is let fall.`, askRelease: (lane) => `Let the barrier of ${lane} fall once nobody is under it.`,
  askRecount: "Believe that so many vehicles are inside.", askValidate: "Lower a plate's bill to nothing: stays of yesterday, today and tomorrow.",
  askBlock: "An attendant is called when this plate is at an exit; entries tell.", askUnblock: "End the blocks that operators put on a plate.",
  insideField: "Vehicles inside", plateField: "Plate", reason: "Reason", reasonHint: "It stands in the lot's ledger.", cancel: "Cancel", close: "Close",
  typeLot: (lot) => `Type the lot's name to confirm: ${lot}`, wrongLot: "This is not the lot's name.", sending: "Sent; waiting for the gateway's answer…",
  done: "done", refusedBy: (why) => `refused: ${why}`, unsent: (why) => `Nothing was sent: ${why}`, unsure: (why) => `It is not known whether it was done: ${why}`,
  recordNo: (n) => `Record ${n} of the ledger says who, what and why.`, unverified: "The answer's signature was not checked: the profile names no key of the city.",
  stays: "Stays", findStay: "Find", findHint: "A whole plate, or three letters of one that is inside.", asking: "Asking the gateway…",
  which_inside: "Inside", which_owing: "Unpaid", which_review: "In review", which_recent: "Left last",
  staysFound: (n) => (n === "1" ? "1 stay." : n === "0" ? "No such stay." : `${n} stays, the newest first.`), onlyNewest: "There are more; only the newest are shown.",
  bill: "Bill", billed: "Bill", lowered: "Taken off", paidSum: "Paid", paidBack: "Paid back", owed: "Still owed", dueBack: "Due back", charge: "Charge", units: "Units",
  ifItLeft: "Priced as if it left now.", noLines: "Nothing was charged.", otherStays: "Back to what was found", recordShort: (n) => `record ${n}`,
  strayField: "Exit in review", whoseField: "Whose reader had the plate right", shiftField: "Shift",
  attach: "Attach an exit", askAttach: "End a stay by an exit in review, and bill it.",
  cash: "Take cash", askCash: "Book what you took in your open shift.", shiftOpen: "Open a shift", askShiftOpen: "Begin a shift of yours with so much change.",
  shiftClose: "Close a shift", askShiftClose: "End a shift of yours by what you counted, the change with it.",
  do_refund: "Refund…", do_cash: "Take cash…", do_void: "Void…", do_attach: "Attach…", do_validate: "Free for a day…", do_block: "Block plate…",
  rec_entry: "came in", rec_exit: "decided at the exit", rec_left: "left", rec_paid: "paid", rec_arrears: "in arrears", rec_lowered: "bill lowered", rec_refunded: "paid back by the city",
  "rec_refund-due": "due back; the city was asked", rec_voided: "bill void", rec_attached: "exit attached", rec_cash: "paid in cash", rec_corrected: "bill corrected", rec_disputed: "disputed",
  "rec_dispute-closed": "dispute closed", "rec_written-off": "given up", rec_dunning: "reminded", rec_invoice: "invoice",
  codes: {
    "unknown-key": "the city never listed this key", "bad-signature": "the key did not sign this", revoked: "the city revoked this key",
    "expired-key": "the key's term is over", "wrong-gateway": "it was for another gateway", "wrong-lot": "it was for another lot",
    replayed: "its number was used before", expired: "it came too late", "not-yet": "this computer's clock is ahead", "unknown-verb": "the gateway's release does not know this",
    "bad-args": "something in it does not fit", forbidden: "your role does not allow it", "not-possible": "the lot's rules say no",
    "no-reason": "a reason is missing", "not-the-lot": "this is not the lot's name", away: "the gateway is not there", broken: "the way to the gateway is broken",
    "no-answer": "no answer in time; it may still be done within seconds", "bad-request": "something in it does not fit", "no-console": "the console can't be reached", "no-operator": "this console has no operator's key",
  },
  states: {
    inside: "inside", held: "held at the exit", free: "nothing to pay", due: "due", arrears: "in arrears", paid: "paid", refunded: "refunded",
    disputed: "disputed", voided: "void", "written-off": "written off", review: "in review",
  },
  kinds: {
    entry: "came in", "exit-free": "left, nothing to pay", "exit-lease": "left, city pays", "exit-standing": "left, standing lease",
    "exit-arrears": "left unpaid", "exit-pay-here": "asked to pay here", "exit-attendant": "waits for an attendant",
    "exit-review": "left, in review", "payment-arrived": "payment arrived", "payment-failed": "payment failed", "leased-late": "city paid later",
  },
  causes: {},
};

const ZH = {
  skip: "跳到停车场列表", logout: "退出", language: "English", languageLabel: "Show in English",
  loginTitle: "登录", loginHow: "请打开控制台启动时显示的链接，或在此粘贴口令。",
  token: "口令", login: "登录", wrongToken: "口令不对：请使用当前控制台启动时显示的口令。",
  lots: "停车场", lot: "停车场", state: "状态", places: "车位", alarms: "告警", backlog: "待上传", lastHour: "最近一小时",
  clock: "时钟", lotsCaption: "全部停车场，问题最严重的在前", search: "搜索", searchHint: "停车场或网关",
  troubleOnly: "只看有问题的", more: (n) => `显示全部 ${n} 个`,
  foundSome: (n, all) => `共 ${all} 个停车场，显示 ${n} 个，问题最严重的在前`, foundNone: "没有符合的停车场。", nothing: "尚未收到任何网关的消息。",
  totalLots: "停车场", totalTrouble: "有问题", totalInside: "场内车辆", totalFree: "空车位", totalHour: "最近一小时计费",
  online: "在线", offline: "已停机", lost: "失去联系", unknown: "未知",
  free: (n, all) => `空 ${n} / 共 ${all}`, inside: (n) => `场内 ${n} 辆`, noPlaces: "尚无数据",
  records: (n) => `${n} 条`, upToDate: "已同步", cars: (n) => `出场 ${n} 辆`,
  clockGood: "正常", ahead: (t) => `快 ${t}`, behind: (t) => `慢 ${t}`,
  urgent: "紧急", warning: "警告", info: "提示", none: "无", open: "抬起", closed: "落下", moving: "动作中", fault: "故障",
  joined: "正常", silent: "无应答", refused: "被拒绝", entry: "入口", exit: "出口",
  ago: (t) => `${t}前`, since: (t) => `已 ${t}`, now: "刚刚", unheard: "尚无消息",
  s: "秒", min: "分钟", h: "小时", d: "天",
  live: "实时", reading: "正在连接…",
  lostPage: (t) => `与控制台的连接已断开，画面是 ${t}前的。正在重连…`,
  lostBroker: (t) => `控制台自 ${t} 起与消息服务器断开，画面可能已过时。正在重连…`,
  back: "全部停车场", gone: "没有收到过这个网关的消息。",
  occupancy: "占用情况", money: "收费", lanes: "车道", events: "最近动态", gateway: "网关",
  noAlarms: "没有告警。", remedy: "处理办法", noLanes: "尚未收到车道信息。", noEvents: "控制台启动以来没有动态。",
  barrier: "道闸", node: "节点", last: "最近", time: "时间", lane: "车道", event: "事件", plate: "车牌", amount: "金额",
  taken: "占用", freeWord: "空闲", unknownWord: "未知",
  plotPlaces: "场内车辆随时间变化", plotMoney: "出口计费随时间变化",
  plotNow: (n, low, high) => `现在 ${n} 辆；图中最低 ${low}，最高 ${high}。`,
  plotSum: (sum, n) => `图中时段共 ${sum}，${n} 辆车。`,
  plotStart: (t) => `自 ${t} 起的数据：主题只保留最新值。`,
  moneyNote: "按出口实时消息统计；准确金额以账本为准。",
  bays: "车位数", tariff: "收费标准", version: "版本", key: "记录密钥", chain: "已记录，已回执", rejected: "无法识别的消息",
  numbers: "数据更新于", lanesBad: (n) => `${n} 条车道故障`,
  rss: "内存", disk_free: "磁盘剩余", cpu_temperature: "处理器温度", rss_peak: "内存峰值", cpu: "处理器用时", connections: "启动以来连接次数",
  act: "操作", openLane: "抬杆放行", holdLane: "保持抬起", releaseLane: "恢复落杆", recount: "更正车数", validate: "免费一天",
  refund: "退款", askRefund: "退还已付停车费的一部分或全部；由城市支付并回告。", sessionField: "停车记录号", amountField: "金额",
  voidBill: "作废账单", askVoid: "将该次停车的费用作废；已付金额由城市退还。",
  block: "布控车牌", unblock: "解除布控", asked: "本页发出的操作", noneAsked: "还没有。",
  askOpen: (lane) => `抬起 ${lane} 的道闸，放行一辆车。出场车辆的费用照常计收。`,
  askHold: (lane) => `保持 ${lane} 的道闸抬起，直到恢复。`, askRelease: (lane) => `${lane} 下方无车后恢复落杆。`,
  askRecount: "以此数为场内车辆数。", askValidate: "将该车牌昨天、今天和明天的停车费减为零。",
  askBlock: "该车牌到出口时呼叫值班员；入口只提示。", askUnblock: "解除操作员对该车牌的布控。",
  insideField: "场内车辆数", plateField: "车牌", reason: "原因", reasonHint: "将写入本停车场账本。", cancel: "取消", close: "关闭",
  typeLot: (lot) => `请输入停车场名称以确认：${lot}`, wrongLot: "与停车场名称不符。", sending: "已发出，等待网关答复…",
  done: "已执行", refusedBy: (why) => `被拒绝：${why}`, unsent: (why) => `没有发出：${why}`, unsure: (why) => `不确定是否已执行：${why}`,
  recordNo: (n) => `账本第 ${n} 条记录了何人、何事、何因。`, unverified: "未核对答复的签名：配置中没有城市公钥。",
  stays: "停车记录", findStay: "查找", findHint: "完整车牌；在场车辆可只输入其中三位。", asking: "正在询问网关…",
  which_inside: "在场", which_owing: "未付", which_review: "待核实", which_recent: "最近离场",
  staysFound: (n) => (n === "0" ? "没有符合的停车记录。" : `${n} 条停车记录，最新的在前。`), onlyNewest: "还有更多，只显示最新的。",
  bill: "账单", billed: "账单", lowered: "减免", paidSum: "已付", paidBack: "已退", owed: "尚欠", dueBack: "应退", charge: "计费项", units: "数量",
  ifItLeft: "按现在离场计价。", noLines: "没有计费。", otherStays: "返回查找结果", recordShort: (n) => `记录 ${n}`,
  strayField: "待核实的出场", whoseField: "哪一端的车牌正确", shiftField: "班次",
  attach: "关联出场", askAttach: "用一条待核实的出场结束该次停车，并计费。",
  cash: "收现金", askCash: "登记您当班收到的现金。", shiftOpen: "开班", askShiftOpen: "以这些备用金开始您的班次。",
  shiftClose: "交班", askShiftClose: "按清点的金额（含备用金）结束您的班次。",
  do_refund: "退款…", do_cash: "收现金…", do_void: "作废…", do_attach: "关联…", do_validate: "免费一天…", do_block: "布控车牌…",
  rec_entry: "入场", rec_exit: "出口判定", rec_left: "离场", rec_paid: "已付款", rec_arrears: "欠费", rec_lowered: "账单减免", rec_refunded: "城市已退款",
  "rec_refund-due": "应退，已请求城市", rec_voided: "账单作废", rec_attached: "已关联出场", rec_cash: "现金支付", rec_corrected: "账单更正", rec_disputed: "有争议",
  "rec_dispute-closed": "争议了结", "rec_written-off": "核销", rec_dunning: "催缴", rec_invoice: "发票",
  codes: {
    "unknown-key": "城市名单中没有此密钥", "bad-signature": "签名不符", revoked: "此密钥已被城市吊销",
    "expired-key": "此密钥已过期", "wrong-gateway": "对象是另一个网关", "wrong-lot": "对象是另一个停车场",
    replayed: "编号已用过", expired: "到达太晚", "not-yet": "本机时钟偏快", "unknown-verb": "网关版本不支持此操作",
    "bad-args": "内容不合要求", forbidden: "您的角色无权执行", "not-possible": "停车场规则不允许",
    "no-reason": "缺少原因", "not-the-lot": "与停车场名称不符", away: "网关不在线", broken: "与网关的通路中断",
    "no-answer": "未及时答复；数秒内仍可能执行", "bad-request": "内容不合要求", "no-console": "无法连接控制台", "no-operator": "此控制台没有操作员密钥",
  },
  states: {
    inside: "在场", held: "出口待付", free: "免费", due: "待付", arrears: "欠费", paid: "已付", refunded: "已退款",
    disputed: "争议中", voided: "已作废", "written-off": "已核销", review: "待核实",
  },
  kinds: {
    entry: "入场", "exit-free": "出场，免费", "exit-lease": "出场，城市代付", "exit-standing": "出场，长期授权",
    "exit-arrears": "出场，未付", "exit-pay-here": "请在此付款", "exit-attendant": "等待值班员",
    "exit-review": "出场，待核实", "payment-arrived": "已付款", "payment-failed": "付款失败", "leased-late": "城市补付",
  },
  causes: {
    help: (at) => [`${at} 有人按了求助按钮。`, "请与驾驶员通话。"],
    fire: (at) => [`${at} 火警；节点已抬起道闸。`, "请疏通车道。"],
    mains: (at) => [`${at} 市电中断；道闸已抬起。`, "请检查供电。"],
    barrier: (at) => [`${at} 道闸触点状态矛盾。`, "请查看道闸。"],
    loss: (at) => [`节点 ${at} 丢失了部分事件。`, "计数已由快照恢复；请查明网关当时为何离线。"],
    silent: (at) => [`节点 ${at} 无应答。`, "请检查线缆和电源。"],
    refused: (at) => [`地址 ${at} 的节点被拒绝。`, "找出外来或更换过的节点；登记它，或从总线上取下。"],
    passage: (at) => [`${at} 有车辆未经识别离场。`, "请查看该车道的图像。"],
    attendant: (at) => [`${at} 有车辆在等值班员。`, "请收款，或手动抬杆。"],
    blocked: (at) => [`${at} 出现被禁入的车牌。`, "请查看该车道。"],
    hold: (at) => [`${at} 的道闸保持抬起。`, "不需要时请恢复落杆。"],
    manual: (at) => [`${at} 的道闸未经指令被抬起。`, "请查看该车道的图像并问明原因。"],
    till: (at) => [`${at} 班次的现金与记录不符。`, "请将该班次的现金记录与小票核对。"],
    day: (at) => [`城市对 ${at} 的统计与本场不符。`, "请核对当天记录与城市账目；当天再次对账一致后解除。"],
    platform: (at) => [`城市平台拒收上报（${at}）。`, "请向城市询问拒绝代码；该上报每小时重试一次。"],
    payment: (at) => [`城市平台扣了本场未记的款（账单 ${at}）。`, "请与城市核对该账单，使驾驶员收回不应付的款。"],
    difference: (at) => [`账单 ${at} 的付款与应收不符。`, "请与平台核对该账单。"],
    bills: (at) => [`平台对 ${at} 的账单与本场不符。`, "请核对当天的账单。"],
    ledger: () => ["账本已损坏。", "请停止本机，用备份和城市的副本恢复账本。"],
    disk: (at) => (at === "full" ? ["账本所在的磁盘已满。", "请立即腾出空间。"] : ["账本所在的磁盘快满了。", "请在本周内腾出空间。"]),
    clock: () => ["时钟曾经超前，并已据此结算了一天。", "请检查时钟来源。"],
    operators: () => ["有未列入名单的密钥发来指令。", "请查明是谁；如有密钥遗失，请城市吊销。"],
    fork: () => ["本机账本与城市的回执不一致。", "不要删除任何文件；请联系城市平台核对。"],
    tariff: (at) => (at === "calendar" ? ["节假日日历快到期。", "请安装下一份日历，并在 lot.calendar 中写明。"] : ["有车辆无法计价，已放行。", "请为 lot.calendar 补上相应年份，然后重启。"]),
  },
};

const TABLES = { en: EN, zh: ZH };
let now = "en";

export function choose(stored, preferred) {
  now = TABLES[stored] ? stored : (firstKnown(preferred) ?? "en");
  return now;
}

const firstKnown = (tags) => tags.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => TABLES[tag]);

export const language = () => now;
export const other = () => (now === "en" ? "zh" : "en");

export function word(name, ...values) {
  const found = TABLES[now][name];
  return typeof found === "function" ? found(...values) : (found ?? name);
}

export const code = (name) => TABLES[now].codes[name] ?? name;
export const stateWord = (name) => TABLES[now].states[name] ?? name;
export const kind = (name) => TABLES[now].kinds[name] ?? name;

// The gateway's own words, or in another language ours, with the original beside them.
export function alarmWords(alarm) {
  const [name, ...rest] = alarm.alarm.split("/");
  const known = TABLES[now].causes[name];
  if (!known) return { cause: alarm.cause, remedy: alarm.remedy, original: "" };
  const [cause, remedy] = known(rest.join("/"));
  return { cause, remedy, original: alarm.cause };
}

const locale = () => (now === "zh" ? "zh-CN" : "en-GB");

export const number = (value) => new Intl.NumberFormat(locale()).format(value);

export function money(minor, currency, whole = false) {
  try {
    const format = new Intl.NumberFormat(locale(), { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    const value = minor / 10 ** format.resolvedOptions().maximumFractionDigits;
    return whole ? format.format(value).replace(/[.,]0+$/, "") : format.format(value);
  } catch {
    return number(minor);
  }
}

const UNITS = {
  bytes: (value) => (value >= 1e9 ? `${number(Math.round(value / 1e8) / 10)} GB` : `${number(Math.round(value / 1e5) / 10)} MB`),
  ms: duration, s: (value) => duration(value * 1000), celsius: (value) => `${number(value)} °C`,
};

// A number of the gateway: its name without the unit, which stands last in it, and the value with it.
export function measure(name, value) {
  const at = name.lastIndexOf("_");
  const unit = UNITS[name.slice(at + 1)];
  return unit ? [name.slice(0, at), unit(value)] : [name, number(value)];
}

// An amount as a person types it, in the currency's smallest unit; rounded once, here.
export function minor(amount, currency) {
  const { maximumFractionDigits } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return Math.round(Number(amount) * 10 ** maximumFractionDigits);
}

export function major(minor, currency) {
  const { maximumFractionDigits } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return (minor / 10 ** maximumFractionDigits).toFixed(maximumFractionDigits);
}

export const moment = (ms) =>
  new Date(ms).toLocaleString(locale(), { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const clock = (ms, seconds = false) =>
  new Date(ms).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }), hour12: false });

export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const [value, unit] = s < 90 ? [s, "s"] : s < 5400 ? [Math.round(s / 60), "min"] : s < 172800 ? [Math.round(s / 3600), "h"] : [Math.round(s / 86400), "d"];
  return `${number(value)} ${word(unit)}`;
}

export const ago = (ms) => (ms < 2000 ? word("now") : word("ago", duration(ms)));
