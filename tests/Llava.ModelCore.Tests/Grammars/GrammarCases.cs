namespace Llava.ModelCore.Tests.Grammars;

/// <summary>Fifty regular expressions and schemas, of the kinds that people constrain answers with. All judges that are asked understand them.</summary>
internal static class GrammarCases
{
    /// <summary>.NET's regular expressions and NJsonSchema count UTF-16 units where an expression or a schema counts characters: of such texts they are not asked.</summary>
    public static bool CanBeJudged(string text) => !text.Any(char.IsSurrogate);

    public static IReadOnlyList<string> Regexes { get; } =
    [
        "yes|no", "[A-E]", @"\d{4}-\d{2}-\d{2}", @"[A-Z][a-z]{1,12}( [A-Z][a-z]{1,12}){0,2}", @"#[0-9a-fA-F]{6}", @"(red|green|blue) (circle|square|star)",
        @"-?(0|[1-9]\d{0,5})(\.\d{1,3})?", @"\+?[1-9]\d{6,14}", @"[\w.+-]{1,20}@[a-z]{1,10}\.(com|org|net)", @"(\d{1,3}\.){3}\d{1,3}", @"a{3}b{2,4}c?d*e{1}",
        @"(?:ab|cd)+?x", @"(?<year>19|20)\d\d", @"[^\W_]{2,8}", @"[äöüß]{1,3}|é|ñ", @"\$\d+\.\d{2}", @"""[^""\\]*""", @"\p{Lu}{1,3}", @"[\u0041-\u0043]{2}", @"(a|b(c|d(e|f)))*g",
        @"^\s?answer: [a-z]+$", @"x?y?z?!", @"[-+*/]", @"[\]\[]{2}", @"\(\d+\)",
    ];

    public static IReadOnlyList<string> Schemas { get; } =
    [
        """{"type":"boolean"}""",
        """{"type":"integer","minimum":1,"maximum":10}""",
        """{"type":"integer","minimum":-120,"maximum":37}""",
        """{"type":"number","minimum":0,"maximum":1}""",
        """{"type":"number","minimum":-2.5,"maximum":0.125}""",
        """{"type":"string","maxLength":12}""",
        """{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"}""",
        """{"type":"string","pattern":"^[a-z]+$","minLength":3,"maxLength":7}""",
        """{"type":"string","format":"date-time"}""",
        """{"type":"string","format":"ipv4"}""",
        """{"enum":["circle","square",3,null,true,{"a":[1,2]}]}""",
        """{"type":["string","null"],"maxLength":5}""",
        """{"type":"array","items":{"type":"integer","minimum":0,"maximum":9},"minItems":2,"maxItems":4}""",
        """{"type":"array","items":{"type":"array","items":{"type":"boolean"},"maxItems":2},"maxItems":3}""",
        """{"type":"array","maxItems":0}""",
        """{"type":"object","properties":{"color":{"enum":["red","blue"]},"count":{"type":"integer","minimum":0,"maximum":99}},"required":["color","count"],"additionalProperties":false}""",
        """{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"null"},"c":{"type":"integer","minimum":0}},"additionalProperties":false}""",
        """{"type":"object","properties":{"a":{"type":"boolean"}},"required":["b"]}""",
        """{"type":"object","properties":{"name":{"type":"string","maxLength":8}},"required":["name"],"additionalProperties":{"type":"integer","minimum":0,"maximum":5}}""",
        """{"type":"object","additionalProperties":{"type":"boolean"}}""",
        """{"anyOf":[{"type":"integer","minimum":5},{"type":"boolean"}]}""",
        """{"oneOf":[{"type":"object","properties":{"k":{"enum":["a"]}},"required":["k"],"additionalProperties":false},{"type":"object","properties":{"k":{"enum":["b"]},"v":{"type":"boolean"}},"required":["k","v"],"additionalProperties":false}]}""",
        """{"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":0}},"required":["a"]},{"properties":{"a":{"maximum":9},"b":{"type":"boolean"}},"required":["b"]}]}""",
        """{"definitions":{"node":{"type":"object","properties":{"value":{"type":"integer","minimum":0,"maximum":9},"next":{"anyOf":[{"$ref":"#/definitions/node"},{"type":"null"}]}},"required":["value","next"],"additionalProperties":false}},"type":"object","properties":{"list":{"$ref":"#/definitions/node"}},"required":["list"],"additionalProperties":false}""",
        """{"type":"object","properties":{"title":{"type":"string","maxLength":20},"tags":{"type":"array","items":{"type":"string","pattern":"^[a-z]{1,8}$"},"maxItems":3},"size":{"type":"object","properties":{"w":{"type":"number","minimum":0},"h":{"type":"number","minimum":0}},"required":["w","h"],"additionalProperties":false}},"required":["title","tags","size"],"additionalProperties":false}""",
    ];
}
