using System.Security.Cryptography;
using System.Text;

namespace Llava.ModelCore.Grammars;

/// <summary>What an answer has to look like, for any model. It is read when it is first used, which may be never where an equal one is known.</summary>
public sealed class Grammar
{
    internal const string Root = "";
    private readonly Lazy<IReadOnlyDictionary<string, Expression>> _rules;

    private Grammar(string kind, string content, Func<IReadOnlyDictionary<string, Expression>> read)
    {
        Kind = kind;
        Key = $"{kind}:{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
        _rules = new(read);
    }

    /// <summary>Names the content: equal keys, equal grammars.</summary>
    public string Key { get; }

    /// <summary>By name; <see cref="Root"/> is where answers begin.</summary>
    /// <exception cref="GrammarException">It cannot be understood.</exception>
    internal IReadOnlyDictionary<string, Expression> Rules => _rules.Value;

    private string Kind { get; }

    /// <summary>Answers that a regular expression matches as a whole (docs/structured.md has what is understood).</summary>
    public static Grammar OfRegex(string pattern) =>
        new("regex", pattern, () => new Dictionary<string, Expression> { [Root] = RegexParser.ParseWhole(pattern) });

    /// <summary>Answers that are JSON and valid for a schema (docs/structured.md has what is understood).</summary>
    /// <param name="schema">The schema, as JSON text.</param>
    public static Grammar OfJsonSchema(string schema) => new("json_schema", schema, () => Schemas.SchemaCompiler.Compile(schema));

    /// <summary>Answers that are one JSON object, whatever is in it.</summary>
    public static Grammar OfJsonObject() => new("json_object", "", Schemas.JsonText.RulesOfObject);

    /// <summary>Reads it now, for whoever wants to refuse it early.</summary>
    /// <exception cref="GrammarException">It cannot be understood, or no answer can be what it asks for.</exception>
    public void Check()
    {
        if (new Automata.Automaton(Automata.NetworkBuilder.Build(this, [.. Enumerable.Repeat(true, 256)])).IsEmpty)
        {
            throw Broken("No answer but perhaps the empty one can be what is asked for. Make sure that what is required does not contradict itself.");
        }
    }

    internal GrammarException Broken(string what) => new($"invalid_{Kind}", what);
}
