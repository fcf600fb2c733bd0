using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary>A page and what it did that no page may do: dialogs of its own, requests to elsewhere, errors and reports in the console.</summary>
public sealed class WatchedPage : IAsyncDisposable
{
    private readonly Uri _address;
    private readonly List<string> _misdeeds = [];

    // How long a page may take is asked of the server, not of a browser that shares its cores with other tests.
    static WatchedPage() => Assertions.SetDefaultExpectTimeout(30_000);

    public WatchedPage(IPage page, Uri address)
    {
        (Page, _address) = (page, address);
        page.Dialog += (_, dialog) =>
        {
            // What we ask before something is lost; all else was written by a hostile name.
            if (dialog.Type != "confirm")
            {
                _misdeeds.Add($"dialog: {dialog.Message}");
            }

            _ = dialog.AcceptAsync();
        };
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url).Authority != _address.Authority)
            {
                _misdeeds.Add($"request: {request.Url}");
            }
        };
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("status of 40", StringComparison.Ordinal))
            {
                _misdeeds.Add($"console: {message.Text}");
            }
        };
        page.PageError += (_, error) => _misdeeds.Add($"error: {error}");
    }

    public IPage Page { get; }

    public ILocator this[string selector] => Page.Locator(selector);

    public Task<IResponse?> GoAsync(string path) => Page.GotoAsync(new Uri(_address, path).ToString(), new() { WaitUntil = WaitUntilState.DOMContentLoaded });

    /// <summary>Types a key at the login, by the keyboard alone.</summary>
    public async Task SignInAsync(string secret)
    {
        await GoAsync("/login");
        await TypeKeyAsync(secret);
        await Page.WaitForURLAsync(url => !url.Contains("/login", StringComparison.Ordinal));
    }

    /// <summary>Types a key into the field that has the focus when the page is drawn, which is after its document was read, and presses Enter.</summary>
    public async Task TypeKeyAsync(string secret)
    {
        await Assertions.Expect(Page.Locator("[name=key]")).ToBeFocusedAsync();
        await Page.Keyboard.TypeAsync(secret);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Presses a button by what it says.</summary>
    public Task PressAsync(string name, ILocator? within = null) => (within ?? Page.Locator("main")).GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).First.ClickAsync();

    /// <summary>The page did nothing that it may not do.</summary>
    public void IsInnocent() => Assert.Empty(_misdeeds);

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());
}
