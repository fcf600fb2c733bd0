using System.Globalization;
using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Expansion;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Makes a job's items of its source's: one for each prompt of the job, prompts filled in, names checked.</summary>
/// <param name="request">The job, with the source that is read.</param>
/// <param name="part">Number of the part whose source that is; 0 for the job's own.</param>
internal sealed class JobItems(JobRequest request, int part = 0)
{
    /// <summary>Code of an item that has no prompt, its own or the job's.</summary>
    public const string NoPrompt = "no_prompt";

    /// <summary>Code of an item without a field that the job's prompt asks for.</summary>
    public const string UnknownField = "unknown_field";

    /// <summary>Code of an item whose name an earlier one has.</summary>
    public const string DuplicateName = "duplicate_custom_id";

    private readonly PromptTemplate? _prompt = request.Prompt is { } prompt ? new(prompt) : null;
    private readonly PromptTemplate[] _prompts = [.. request.Prompts.Select(prompt => new PromptTemplate(prompt))];

    // LLaVA's own question and conversation files repeat names on purpose. Files of one folder have names of their own; those of another may be the same.
    private readonly RecordNames? _names = request.Source.Kind is SourceKind.Questions or SourceKind.Conversations || (request.Source.Kind == SourceKind.Folder && part == 0) ? null : new();

    /// <summary>Items that every record of the source gives, also one that is rejected: the records taken in follow from the items there are.</summary>
    public int PerRecord => Math.Max(1, _prompts.Length);

    /// <summary>Whether names must differ, so that those before what is read are to be remembered.</summary>
    public bool ChecksNames => _names is not null;

    /// <summary>The items of the next record.</summary>
    public IEnumerable<ExpandedItem> Of(SourceItem record)
    {
        record = Named(record);
        var item = RememberNamed(record) is { } refused ? record.Item with { Rejection = record.Item.Rejection ?? refused } : record.Item;
        if (request.Expected is { } expected)
        {
            item = item with { Expected = record.Fields.GetValueOrDefault(expected) };
        }

        if (_prompts.Length == 0)
        {
            return [Ask(item, record, _prompt)];
        }

        return _prompts.Select((prompt, index) => Ask(
            item with { Spec = item.Spec with { CustomId = string.Create(CultureInfo.InvariantCulture, $"{item.Spec.CustomId}#{index + 1}") } }, record, prompt));
    }

    /// <summary>Keeps the name of a record taken in before an interruption.</summary>
    public void Remember(SourceItem record) => RememberNamed(Named(record));

    /// <summary>Keeps the name of an item that came with an earlier source.</summary>
    public void Remember(ItemName item) =>
        _names?.Add(_prompts.Length == 0 ? item.CustomId : item.CustomId[..item.CustomId.LastIndexOf('#')], -item.ItemNo);

    /// <summary>Keeps the record's name; says why it cannot have it.</summary>
    private Failure? RememberNamed(SourceItem record)
    {
        var number = record.Place?.Number ?? 1;
        return _names?.Add(record.Item.Spec.CustomId, number) is { } first && first != number
            ? Refuse(DuplicateName, record, $"The custom_id '{record.Item.Spec.CustomId}' is that of {(first > 0 ? $"{record.Place?.Unit} {first}" : $"item {-first}, which came with an earlier source,")} already; give each its own.")
            : null;
    }

    /// <summary>A record without a name is called by its place in its file; in a part also by the part, as other files have such places too.</summary>
    private SourceItem Named(SourceItem record) => record.IsNamed || part == 0
        ? record
        : record with { Item = record.Item with { Spec = record.Item.Spec with { CustomId = string.Create(CultureInfo.InvariantCulture, $"part-{part}-{record.Item.Spec.CustomId}") } } };

    private ExpandedItem Ask(ExpandedItem item, SourceItem record, PromptTemplate? prompt)
    {
        var own = item.Spec.Prompt;
        // Where the text is the job's word for word, a million items need not repeat it.
        var isJobs = prompt is { Fields.Count: 0 } && _prompts.Length == 0;
        return item.Rejection is not null || isJobs || (prompt is null && own is not null) ? item
            : prompt is null ? item with { Rejection = Refuse(NoPrompt, record, $"Item '{item.Spec.CustomId}' has no prompt, and the job's is missing; give either.") }
            : prompt.Fields.FirstOrDefault(field => ValueOf(field) is null) is { } missing ? item with { Rejection = Missing(missing, record) }
            : item with { Spec = item.Spec with { Prompt = prompt.Fill(field => ValueOf(field)!) } };

        string? ValueOf(string field) => field == PromptTemplate.OwnPrompt ? own : record.Fields.GetValueOrDefault(field);
    }

    private static Failure Missing(string field, SourceItem record) => field == PromptTemplate.OwnPrompt
        ? Refuse(NoPrompt, record, $"Item '{record.Item.Spec.CustomId}' has no prompt, and the job's needs one; give either.")
        : Refuse(UnknownField, record, $"Item '{record.Item.Spec.CustomId}' has no field '{field}', which the job's prompt asks for; it has {(record.Fields.Count == 0 ? "none" : string.Join(", ", record.Fields.Keys))}.");

    private static Failure Refuse(string code, SourceItem record, string message) => new(code, record.Place is { } place ? $"{place}: {message}" : message);
}
