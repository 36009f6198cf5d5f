//! Which constants the second part alone refers to: they come with it.
//!
//! The linker, asked to keep its relocations, says where every constant lies and who refers to
//! whom. What a function of the *finished* module refers to is read from its numbers: every number
//! that can be an address of a constant counts as a reference. So a constant may come too early,
//! never too late.

use super::module::{Module, malformed};
use crate::shell::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmparser::{
    DataKind, KnownCustom, Linking, LinkingSectionReader, Operator, Parser, Payload,
    RelocSectionReader, RelocationType, SymbolInfo,
};

/// Only what the program never writes may come later.
const READ_ONLY: &str = ".rodata";

/// A number that the optimizer computed and the linker did not know is taken for a reference to all
/// constants this near to it.
const NEAR: Range<u32> = 64..1024;

/// A gap this small between two ranges is sent as zeros: a segment of its own costs more.
const SMALL_GAP: u32 = 16;

/// The constants of a linked module.
pub struct Constants {
    /// Sorted, not overlapping: addresses of constants.
    objects: Vec<Range<u32>>,
    /// Per object: the objects that it points to.
    points_to: Vec<BTreeSet<usize>>,
    /// Objects that writable data points to.
    roots: BTreeSet<usize>,
    /// Number in the code → objects that it means.
    meant: BTreeMap<u32, BTreeSet<usize>>,
}

/// A segment of linear memory: address, content.
pub type Segment = (u32, Vec<u8>);

/// A linked module's parts that matter here.
#[derive(Default)]
struct Linked<'a> {
    /// Address, content, and where the content lies in the data section.
    segments: Vec<(u32, &'a [u8], u32)>,
    names: Vec<&'a str>,
    /// Data symbols: address and size; `None` for other symbols.
    symbols: Vec<Option<(u32, u32)>>,
    code: Option<RelocSectionReader<'a>>,
    data: Option<RelocSectionReader<'a>>,
}

impl<'a> Linked<'a> {
    fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut linked = Self::default();
        let (mut section, mut code_section, mut data_section) = (0, None, None);
        let mut linking = None;
        let mut relocations = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(malformed)?;
            match &payload {
                Payload::DataSection(data) => {
                    data_section = Some(section);
                    let start = data.range().start;
                    for segment in data.clone() {
                        let segment = segment.map_err(malformed)?;
                        let at = segment.range.end - segment.data.len() as u64 - start;
                        let address = active_address(&segment.kind)?;
                        linked.segments.push((address, segment.data, at as u32));
                    }
                }
                Payload::CodeSectionStart { .. } => code_section = Some(section),
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Linking(found) => linking = Some(found),
                    KnownCustom::Reloc(found) => relocations.push(found),
                    _ => {}
                },
                _ => {}
            }
            let counts = !matches!(
                payload,
                Payload::Version { .. } | Payload::CodeSectionEntry(_) | Payload::End(_)
            );
            section += u32::from(counts);
        }
        for found in relocations {
            if Some(found.section_index()) == code_section {
                linked.code = Some(found);
            } else if Some(found.section_index()) == data_section {
                linked.data = Some(found);
            }
        }
        linked.read_symbols(linking.ok_or("the linker kept no symbols")?)?;
        Ok(linked)
    }

    fn read_symbols(&mut self, linking: LinkingSectionReader<'a>) -> Result<()> {
        let mut found = Vec::new();
        for part in linking.subsections() {
            match part.map_err(malformed)? {
                Linking::SegmentInfo(segments) => {
                    for segment in segments {
                        self.names.push(segment.map_err(malformed)?.name);
                    }
                }
                Linking::SymbolTable(symbols) => {
                    for symbol in symbols {
                        found.push(symbol.map_err(malformed)?);
                    }
                }
                _ => {}
            }
        }
        for symbol in found {
            let place = match symbol {
                SymbolInfo::Data {
                    symbol: Some(symbol),
                    ..
                } => self
                    .segments
                    .get(symbol.index as usize)
                    .map(|(address, ..)| (address + symbol.offset, symbol.size)),
                _ => None,
            };
            self.symbols.push(place);
        }
        Ok(())
    }

    /// The address that a relocation means, if it means one.
    fn target(&self, entry: &wasmparser::RelocationEntry) -> Option<(u32, u32)> {
        use RelocationType as R;
        if !matches!(
            entry.ty,
            R::MemoryAddrLeb | R::MemoryAddrSleb | R::MemoryAddrI32
        ) {
            return None;
        }
        let (address, _) = self.symbols.get(entry.index as usize).copied().flatten()?;
        Some((address, (i64::from(address) + entry.addend) as u32))
    }
}

fn active_address(kind: &DataKind) -> Result<u32> {
    let DataKind::Active {
        memory_index: 0,
        offset_expr,
    } = kind
    else {
        return Err("the module has passive data".to_owned());
    };
    match offset_expr
        .get_operators_reader()
        .read()
        .map_err(malformed)?
    {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        _ => Err("the module has data at a computed place".to_owned()),
    }
}

impl Constants {
    /// Reads a module as the linker wrote it, with relocations.
    pub fn read(wasm: &[u8]) -> Result<Self> {
        let linked = Linked::read(wasm)?;
        let read_only: Vec<Range<u32>> = linked
            .segments
            .iter()
            .zip(&linked.names)
            .filter(|(_, name)| name.starts_with(READ_ONLY))
            .map(|((address, content, _), _)| *address..*address + content.len() as u32)
            .collect();
        let mut places: Vec<Range<u32>> = linked
            .symbols
            .iter()
            .flatten()
            .filter(|(address, size)| {
                *size > 0 && read_only.iter().any(|range| range.contains(address))
            })
            .map(|(address, size)| *address..address + size)
            .collect();
        places.sort_by_key(|place| (place.start, place.end));
        let mut objects: Vec<Range<u32>> = Vec::new();
        for place in places {
            match objects.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => objects.push(place),
            }
        }
        let mut constants = Self {
            points_to: vec![BTreeSet::new(); objects.len()],
            objects,
            roots: BTreeSet::new(),
            meant: BTreeMap::new(),
        };
        for entry in linked.code.iter().flat_map(|section| section.entries()) {
            let entry = entry.map_err(malformed)?;
            if let Some((symbol, number)) = linked.target(&entry)
                && let Some(object) = constants.object_at(symbol)
            {
                constants.meant.entry(number).or_default().insert(object);
            }
        }
        for entry in linked.data.iter().flat_map(|section| section.entries()) {
            let entry = entry.map_err(malformed)?;
            let Some((symbol, _)) = linked.target(&entry) else {
                continue;
            };
            let Some(object) = constants.object_at(symbol) else {
                continue;
            };
            let holder = linked
                .segments
                .iter()
                .find(|(_, content, at)| (*at..*at + content.len() as u32).contains(&entry.offset))
                .and_then(|(address, _, at)| constants.object_at(address + entry.offset - at));
            match holder.and_then(|holder| constants.points_to.get_mut(holder)) {
                Some(list) => list.insert(object),
                None => constants.roots.insert(object),
            };
        }
        Ok(constants)
    }

    fn object_at(&self, address: u32) -> Option<usize> {
        let after = self
            .objects
            .partition_point(|object| object.start <= address);
        let at = after.checked_sub(1)?;
        self.objects.get(at)?.contains(&address).then_some(at)
    }

    /// The constants that no function of the first part can reach. `stays`: which defined functions
    /// of the finished `module` are of the first part.
    pub fn of_later(
        &self,
        module: &Module,
        stays: impl Fn(u32) -> bool,
    ) -> Result<Vec<Range<u32>>> {
        let (Some(first), Some(last)) = (self.objects.first(), self.objects.last()) else {
            return Ok(Vec::new());
        };
        let all = first.start..last.end + 1;
        let mut numbers = BTreeSet::new();
        for function in module.defined().filter(|function| stays(*function)) {
            for operator in module
                .body(function)?
                .get_operators_reader()
                .map_err(malformed)?
            {
                note_numbers(&operator.map_err(malformed)?, &mut numbers);
            }
        }
        let mut open: Vec<usize> = self.roots.iter().copied().collect();
        for number in numbers.range(all) {
            match self.meant.get(number) {
                Some(objects) => open.extend(objects),
                None => open.extend(self.near(*number)),
            }
        }
        let mut reached = vec![false; self.objects.len()];
        while let Some(object) = open.pop() {
            if let Some(seen) = reached.get_mut(object)
                && !std::mem::replace(seen, true)
            {
                open.extend(self.points_to.get(object).into_iter().flatten());
            }
        }
        let later = self
            .objects
            .iter()
            .zip(&reached)
            .filter(|(_, reached)| !**reached);
        Ok(later.map(|(object, _)| object.clone()).collect())
    }

    fn near(&self, number: u32) -> Range<usize> {
        let (low, high) = (
            number.saturating_sub(NEAR.start),
            number.saturating_add(NEAR.end),
        );
        let from = self.objects.partition_point(|object| object.end < low);
        let to = self.objects.partition_point(|object| object.start <= high);
        from..to
    }
}

/// Numbers that can be addresses: constants, and the fixed parts of loads' and stores' addresses.
fn note_numbers(operator: &Operator, numbers: &mut BTreeSet<u32>) {
    if let Operator::I32Const { value } = operator {
        numbers.insert(value.cast_unsigned());
    }
    if let Operator::I64Const { value } = operator {
        // A pointer and a length may be written at once.
        numbers.insert(*value as u32);
        numbers.insert((*value >> 32) as u32);
    }
    if let Some(offset) = fixed_offset(operator) {
        numbers.insert(offset);
    }
}

macro_rules! offsets {
    ($operator:expr, $($name:ident)*) => {
        match $operator {
            $(Operator::$name { memarg } => Some(memarg.offset as u32),)*
            _ => None,
        }
    };
}

fn fixed_offset(operator: &Operator) -> Option<u32> {
    offsets!(operator,
        I32Load I64Load F32Load F64Load
        I32Load8S I32Load8U I32Load16S I32Load16U
        I64Load8S I64Load8U I64Load16S I64Load16U I64Load32S I64Load32U
        I32Store I64Store F32Store F64Store
        I32Store8 I32Store16 I64Store8 I64Store16 I64Store32)
}

/// Cuts a module's memory in two: without `later`, and only `later`.
pub fn divide(module: &Module, later: &[Range<u32>]) -> Result<(Vec<Segment>, Vec<Segment>)> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for segment in module.data.clone().into_iter().flatten() {
        let segment = segment.map_err(malformed)?;
        let start = active_address(&segment.kind)?;
        let whole = start..start + segment.data.len() as u32;
        let from = later.partition_point(|range| range.end <= start);
        let moved: Vec<Range<u32>> = later
            .iter()
            .skip(from)
            .take_while(|range| range.start < whole.end)
            .map(|range| range.start.max(start)..range.end.min(whole.end))
            .collect();
        // Zeros where the second part's constants will be.
        let mut blank = segment.data.to_vec();
        let (mut kept, mut here) = (Vec::new(), start);
        for range in &moved {
            kept.push(here..range.start);
            here = range.end;
            let at = (range.start - start) as usize..(range.end - start) as usize;
            blank.get_mut(at).unwrap_or_default().fill(0);
        }
        kept.push(here..whole.end);
        take(&mut first, start, &blank, &kept);
        take(&mut second, start, segment.data, &moved);
    }
    Ok((first, second))
}

/// Appends `ranges` of memory as segments; small gaps are filled with what is there.
fn take(segments: &mut Vec<Segment>, start: u32, content: &[u8], ranges: &[Range<u32>]) {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges.iter().filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if range.start - last.end <= SMALL_GAP => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    for range in joined {
        let at = (range.start - start) as usize..(range.end - start) as usize;
        let content = content.get(at).unwrap_or_default();
        segments.push((range.start, content.to_vec()));
    }
}
