namespace Llava.ModelCore.Prompts;

/// <summary>How system text, roles, turns and separators become one text (spec 3.2).</summary>
public enum PromptStyle
{
    /// <summary><c>role: text</c>, every turn followed by the same separator.</summary>
    Single,

    /// <summary><c>role: text</c>, turns of user and assistant followed by different separators.</summary>
    Two,

    /// <summary>ChatML: the role's line, the text, the separator.</summary>
    Mpt,

    /// <summary><c>[INST] … [/INST]</c> with the system text inside the first turn.</summary>
    Llama2,

    /// <summary>The turns alone, for alignment on captions.</summary>
    Plain,
}
