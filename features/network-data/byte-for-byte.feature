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
      | peculiarity              | network data                                                    |
      | keys in an odd order     | {"zebra":1,"apple":2,"mango":{"y":true,"x":null}}               |
      | generous spacing         | {  "a" :  1 ,\n   "b" : [ 1,2 ,  3 ]  }                         |
      | numbers written in full  | {"version":1.0,"rate":1.50,"big":1e3,"exact":12345678901234567890} |
      | escapes                  | {"name":"caf\\u00e9","path":"a\\/b","tab":"\\t","quote":"\\""}  |
      | a key that stands twice  | {"locale":"sv-SE","locale":"en-GB"}                             |
      | letters beyond ASCII     | {"buyer":"Åke Þórsson 東京 🧥"}                                  |
      | a line break at the end  | {"content":"x"}\n                                               |

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
