using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>
/// Makes items of the records of one file. A record that cannot be understood becomes an item that failed with <c>invalid_line</c>
/// (or <c>_row</c> and so on), so that one bad record hurts no other and none goes missing from the results.
/// </summary>
/// <param name="roots">What may be read.</param>
/// <param name="unit">What the format calls its records.</param>
/// <param name="path">The file.</param>
/// <param name="folder">Where relative image names start from.</param>
internal sealed class RecordItems(AllowedRoots roots, string unit, string path, string folder)
{
    /// <summary>Makes the item of one record.</summary>
    /// <param name="number">The record, counted from 1.</param>
    /// <param name="position">Where reading goes on after it.</param>
    /// <param name="parse">Reads the record, which gets the name given where it has none; throws <see cref="FormatException"/> with the reason when it cannot be understood.</param>
    public SourceItem Make(int number, string position, Func<string, ParsedRecord> parse)
    {
        RecordPlace place = new(unit, number, path);
        var name = place.Name;
        try
        {
            var record = parse(name);
            var item = record.Rejection is { } refused ? new(record.Spec, refused) : ImageReference.Resolve(record.Spec, roots, folder);
            // The very same string: a record may also be called so by itself.
            return new(item with { Rejection = At(place, item.Rejection) }, position) { Place = place, Fields = record.Fields, IsNamed = !ReferenceEquals(record.Spec.CustomId, name) };
        }
        catch (Exception reason) when (reason is JsonException or FormatException or InvalidOperationException)
        {
            return new(new(new(name, []), new($"invalid_{unit}", $"{place} cannot be used: {reason.Message}")), position) { Place = place, IsNamed = false };
        }
    }

    private static Failure? At(RecordPlace place, Failure? failure) => failure is null ? null : failure with { Message = $"{place}: {failure.Message}" };
}

/// <summary>What a record says.</summary>
/// <param name="Spec">The item, its images named as the record names them.</param>
/// <param name="Fields">Its fields by name, for prompts.</param>
/// <param name="Rejection">Why it can never be worked on although it was understood.</param>
internal sealed record ParsedRecord(ItemSpec Spec, IReadOnlyDictionary<string, string> Fields, Failure? Rejection = null);
