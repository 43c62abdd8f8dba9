@network_data
Feature: Klarna Network Data
  Klarna Network Data is a string that nobody but the Partner and Klarna reads. It happens to hold JSON;
  whoever parses it and writes it again changes bytes, and with them what Klarna was told.

  @AP-11
  Scenario Outline: Reaches Klarna byte for byte: <peculiarity>
    # In a table cell, \\ stands for one backslash, \| for a bar, and \n for a line break.
    Given a Partner with an order of 459.00 SEK
    And the Partner shares this Klarna Network Data:
      """
      <network data>
      """
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the network data reached Klarna byte for byte

    Examples:
      | peculiarity                 | network data                                                       |
      | keys in an odd order        | {"zebra":1,"apple":2,"mango":{"y":true,"x":null}}                  |
      | generous spacing            | {  "a" :  1 ,\n   "b" : [ 1,2 ,  3 ]  }                            |
      | numbers written in full     | {"version":1.0,"rate":1.50,"big":1e3,"exact":12345678901234567890} |
      | escapes                     | {"tab":"\\t","quote":"\\"","line":"\\n"}                           |
      | a key that stands twice     | {"locale":"sv-SE","locale":"en-GB"}                                |
      | letters beyond ASCII        | {"buyer":"Åke Þórsson 東京 🧥"}                                       |
      | a line break at the end     | {"content":"x"}\n                                                  |
      | an escape beside its letter | {"escaped":"\\u00e9","shouted":"\\u00C9","plain":"é"}              |
      | an escaped slash            | {"path":"https:\\/\\/shop.example\\/"}                             |
      | a content type nobody knows | {"content_type":"application/vnd.shop+cbor","content":"oWFhAQ=="}  |
      | letters outside the plane   | {"paired":"\\ud83e\\udde5","and":"🧥"}                              |
      | an accent beside its letter | {"decomposed":"Åke","composed":"Åke"}                                |
      | marks that HTML escapes     | {"note":"<b>5 > 3 & 'so'</b> &amp; &lt;"}                        |
      | tabs for spacing            | {"a":	1,	"b":	2}                                               |
      | values that hold nothing    | {"text":"","list":[],"object":{},"none":null,"no":false,"zero":0}  |
      | escaped control characters  | {"nul":"\\u0000","bell":"\\u0007","delete":"\\u007f"}              |

  @AP-11
  Scenario Outline: Reaches Klarna with characters that nobody sees: <peculiarity>
    Given a Partner with an order of 459.00 SEK
    And the Partner shares Klarna Network Data with <peculiarity>
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the network data reached Klarna byte for byte

    Examples:
      | peculiarity             |
      | Windows line ends       |
      | a byte order mark in it |
      | invisible letters       |

  @AP-11
  Scenario: Is the same in both authorize calls of a step-up
    Given a Partner with an order of 459.00 SEK
    And the Partner shares this Klarna Network Data:
      """
      {"b": 1.0, "a": "\u00e9\/", "b": 2}
      """
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And the network data reached Klarna byte for byte

  @AP-10 @AP-11
  Scenario Outline: Of full length it is neither cut nor refused: <letters>
    Given a Partner with an order of 459.00 SEK
    And the Partner shares Klarna Network Data of 10240 <letters> characters
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the full length of the network data reached Klarna byte for byte

    Examples:
      | letters   |
      | ASCII     |
      | non-ASCII |

  @AP-02 @AP-11
  Scenario Outline: What an acquirer may refuse is refused or reaches Klarna unchanged: <peculiarity>
    Given a Partner with an order of 459.00 SEK
    And the Partner shares this Klarna Network Data:
      """
      <network data>
      """
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the network data was refused, or reached Klarna byte for byte

    Examples:
      | peculiarity                 | network data           |
      | half a pair of surrogates   | {"broken":"\\ud83e"}   |
      | text that is no JSON at all | experience=web;lang=sv |
