using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Prompts;

/// <summary>
/// When an answer ends, for each row of a batch by itself: at eos, at a stop token, or as soon as its text contains a stop string, even
/// if the string came in other pieces than the tokenizer would make of it (spec 3.6).
/// </summary>
public sealed class StopRule
{
    private readonly HashSet<int> _ids;

    private StopRule(HashSet<int> ids, StopStrings strings) => (_ids, Strings) = (ids, strings);

    /// <summary>Tokens that end an answer and are no part of it.</summary>
    public IReadOnlySet<int> Ids => _ids;

    /// <summary>Texts that end an answer and are no part of it.</summary>
    public StopStrings Strings { get; }

    /// <summary>The rule for a template, with further stop strings of a request. A stop string that is one of the added tokens stops as a token too.</summary>
    public static StopRule For(ITokenizer tokenizer, ConversationTemplate template, params IEnumerable<string> more) => For(tokenizer, [template.StopString, .. more]);

    /// <summary>The rule for these stop strings and eos.</summary>
    public static StopRule For(ITokenizer tokenizer, params IEnumerable<string> strings)
    {
        var stops = new StopStrings(strings);
        HashSet<int> ids = [.. tokenizer.AddedTokens.Where(token => stops.Texts.Contains(token.Content)).Select(token => token.Id)];
        if (tokenizer.EosId is { } eos)
        {
            ids.Add(eos);
        }

        return new StopRule(ids, stops);
    }

    /// <summary>Whether the model says eos at the end of an answer, and not some other text.</summary>
    public bool EndsAtEos(ITokenizer tokenizer) => tokenizer.EosId is { } eos && Strings.Texts.All(text => text == tokenizer.TokenOf(eos));

    /// <summary>Whether this token ends the answer.</summary>
    public bool IsStop(int id) => _ids.Contains(id);

    /// <summary>The answer as the original shows it: without white space around it and without a stop string at its end.</summary>
    public string Clean(string answer)
    {
        var text = answer.Trim();
        var stop = Strings.Texts.FirstOrDefault(stop => text.EndsWith(stop, StringComparison.Ordinal));
        return stop is null ? text : text[..^stop.Length].Trim();
    }
}
