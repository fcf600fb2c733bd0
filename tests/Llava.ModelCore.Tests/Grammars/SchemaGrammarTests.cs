using System.Text.Json;
using Llava.ModelCore.Grammars;
using NJsonSchema;

namespace Llava.ModelCore.Tests.Grammars;

/// <summary>JSON schemas; another library is asked whether what is written is valid.</summary>
public sealed class SchemaGrammarTests
{
    public static TheoryData<string> Schemas => [.. GrammarCases.Schemas];

    [Theory]
    [MemberData(nameof(Schemas))]
    public async Task Whatever_is_written_is_valid(string schema)
    {
        var (automaton, judge, random) = (Writing.Automaton(Grammar.OfJsonSchema(schema)), await JsonSchema.FromJsonAsync(schema), new Random(1));
        Assert.All(Enumerable.Range(0, 100).Select(_ => automaton.RandomText(random)), text => Assert.Empty(judge.Validate(text)));
    }

    [Fact]
    public void Any_object_is_an_object()
    {
        var (automaton, random) = (Writing.Automaton(Grammar.OfJsonObject()), new Random(1));
        Assert.All(Enumerable.Range(0, 50).Select(_ => automaton.RandomText(random)), text => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(text, new() { MaxDepth = 300 }).RootElement.ValueKind));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}""", """{"a":1}|{"a": 1, "b": "x"}|{"a":-5,"b":"\"é\\n"}""", """{}|{"b":"x"}|{"b":"x","a":1}|{"a":1,"c":2}|{"a":1,}|{"a":01}|{"a":1.0}|{ "a":1}""")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", """ "ab"|"äö"|"😀😀"|"\u00e9x"|"\n\t\\" """, """ "a"|"abcd"|"\ud83dxx"|ab|"a """)]
    [InlineData("""{"type":"string","pattern":"b+"}""", """ "b"|"abba"|"\"b" """, """ "a"|"" """)]
    [InlineData("""{"type":"string","pattern":"^a|b$"}""", """ "a"|"axx"|"xxb"|"b" """, """ "xa"|"bx" """)]
    [InlineData("""{"const":{"x":[1,"y"]}}""", """{"x":[1,"y"]}|{"x": [1, "y"]}""", """{"x":[1]}|[1]""")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"maximum":1.5}""", "0.1|1|1.5|1.50|0.000001|1.4999", "0|0.0|-1|1.51|2|15|01")]
    [InlineData("""{"type":"number","minimum":-10.25,"exclusiveMaximum":-2}""", "-10.25|-3|-2.1|-9.999|-10.25000|-10", "-2|-2.0|-10.26|-11|0|3|2.5|-1")]
    [InlineData("""{"type":"integer","minimum":95,"maximum":1203}""", "95|99|100|999|1000|1203", "94|1204|9|10000|0|-95|95.0")]
    [InlineData("""{"type":"integer","exclusiveMinimum":-1,"exclusiveMaximum":1}""", "0", "-0|1|-1")]
    [InlineData("""{"type":"array","items":{"type":"null"},"minItems":1}""", "[null]|[null,null]|[null, null]", "[]|[null,]|[1]")]
    [InlineData("""{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}}""", """{}|{"ab":null}|{"a":true}|{"ab":null,"abc":false,"x":true}|{"":true}""", """{"ab":true}|{"x":null}|{"\u0061b":true}|{"x":true,"ab":null}""")]
    [InlineData("true", """{"a":[1,{"b":null}],"c":"x"}|[]|-1.5|true""", "tru|[1,]|{a:1}|+1|.5|'x'")]
    [InlineData("""{"properties":{"a":true},"required":["a"]}""", """{"a":[1]}""", """{}|[]""")]
    [InlineData("""{"$defs":{"a b/c~d":{"enum":["x"]}},"$ref":"#/$defs/a%20b~1c~0d"}""", "\"x\"", "\"y\"")]
    [InlineData("""{"$defs":{"t":{"type":"string"}},"$ref":"#/$defs/t","maxLength":1}""", "\"a\"|\"\"", "\"ab\"")]
    [InlineData("""{"type":"array","items":{"$ref":"#"}}""", "[]|[[],[[]]]", "[1]|[[]")]
    public void Values_are_accepted_if_they_are_valid_and_written_plainly(string schema, string accepted, string refused)
    {
        var automaton = Writing.Automaton(Grammar.OfJsonSchema(schema));
        Assert.All(accepted.Trim().Split('|'), text => Assert.True(automaton.Accepts(text), $"{text} is valid"));
        Assert.All(refused.Trim().Split('|'), text => Assert.False(automaton.Accepts(text), $"{text} is not"));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}}}""", "#/properties/a/not")]
    [InlineData("""{"items":{"type":"number","multipleOf":2}}""", "#/items/multipleOf")]
    [InlineData("""{"patternProperties":{}}""", "#/patternProperties")]
    [InlineData("""{"type":"string","format":"uri"}""", "#/format")]
    [InlineData("""{"type":"string","format":"date","pattern":"a"}""", "#/format")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "#/pattern")]
    [InlineData("""{"type":"text"}""", "#/type")]
    [InlineData("""{"$ref":"http://example.com/x"}""", "#/$ref")]
    [InlineData("""{"$ref":"#/$defs/missing"}""", "#/$ref")]
    [InlineData("""{"enum":[1],"minimum":2}""", "#/minimum")]
    [InlineData("""{"enum":[]}""", "#/enum")]
    [InlineData("""{"properties":{"a/b":3}}""", "#/properties/a~1b")]
    [InlineData("""{"minLength":-1}""", "#/minLength")]
    [InlineData("""{"minItems":3,"maxItems":2}""", "#/maxItems")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "#/uniqueItems")]
    [InlineData("""{"allOf":[{"pattern":"a"},{"pattern":"b"}]}""", "#/pattern")]
    [InlineData("""{"allOf":[{"properties":{"a":true},"additionalProperties":false},{"properties":{"b":true}}]}""", "#/additionalProperties")]
    [InlineData("""{"allOf":[{"$ref":"#"}]}""", "without end")]
    [InlineData("""{"pattern":"^(a|b|c|d)*x(a|b|c|d)*$","maxLength":30000}""", "#/maxLength")]
    [InlineData("""{"type":"object","x-vendor":1}""", "#/x-vendor")]
    [InlineData("7", "'#'")]
    [InlineData("""{"a":1,"a":2}""", "cannot be read")]
    [InlineData("""{"$ref":"#"}""", "No answer")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "No answer")]
    [InlineData("""{"type":"integer","minimum":2,"maximum":1}""", "No answer")]
    public void What_is_not_supported_is_refused_by_its_place(string schema, string place)
    {
        var refused = Assert.Throws<GrammarException>(Grammar.OfJsonSchema(schema).Check);
        Assert.Equal("invalid_json_schema", refused.Code);
        Assert.Contains(place, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_that_calls_itself_is_nested_only_as_deep_as_it_can_be_closed_again()
    {
        var automaton = Writing.Automaton(Grammar.OfJsonSchema("""{"type":"array","items":{"$ref":"#"},"maxItems":1}"""));
        var state = automaton.Start;
        var depth = 0;
        while (automaton.Step(state, (byte)'[') is { } deeper)
        {
            (state, depth) = (deeper, depth + 1);
        }

        Assert.InRange(depth, 30, 200);
        Assert.True(automaton.Accepts(new string('[', depth) + new string(']', depth)));
    }
}
