using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace Llava.EndToEndTests;

/// <summary><c>llava serve dashboard</c> alone.</summary>
public sealed partial class ServedDashboardTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-dashboard-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("llava.example", HttpStatusCode.Unauthorized)]
    [InlineData("localhost", HttpStatusCode.Unauthorized)]
    [InlineData("evil.example", HttpStatusCode.BadRequest)]
    public async Task It_answers_to_this_machines_names_and_to_those_it_was_given(string host, HttpStatusCode status)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["serve", "dashboard"]) { RedirectStandardOutput = true };
        start.Environment["LLAVA_DATA"] = _folder.FullName;
        start.Environment["Llava__Http__Port"] = "0";
        start.Environment["Llava__Http__Hosts__0"] = "llava.example";
        using var process = Process.Start(start)!;
        try
        {
            using var http = new HttpClient();
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(await AddressAsync(process)), "/api/v1/jobs")) { Headers = { Host = host } };

            using var response = await http.SendAsync(message);

            Assert.Equal(status, response.StatusCode);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private static async Task<string> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } address)
            {
                return address.Groups["url"].Value;
            }
        }

        throw new InvalidOperationException("The dashboard ended without listening.");
    }

    [GeneratedRegex(@"^Listening on (?<url>http://[^\s,]+?)\.?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();
}
